//! Chat.

pub(super) mod google_chat;
