//! Watches a group with the daemon of this host.

use external_application::watch;
use rsvp_client::Client;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let watched = runtime.block_on(async {
        let client = Client::connect_default().await?;
        watch(&client, "udp 224.1.2.3:5000").await
    });
    match watched {
        Ok(seen) => println!("{seen:?}"),
        Err(error) => println!("{error}"),
    }
}
