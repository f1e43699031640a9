//! Writes a message and reads it again.

use rsvp_wire::{Message, MessageWriter, MsgType, TimeValues};

fn main() {
    let mut buffer = [0; 64];
    let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 63);
    writer.put(&TimeValues { refresh_ms: 30_000 });
    let message = Message::parse(writer.finish().expect("room")).expect("a message");
    assert_eq!(message.get::<TimeValues>(), Some(Ok(TimeValues { refresh_ms: 30_000 })));
}
