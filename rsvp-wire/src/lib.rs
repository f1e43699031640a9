//! rsvp-wire
