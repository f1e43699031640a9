//! rsvp-node
