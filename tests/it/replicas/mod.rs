//! Several processes on one PostgreSQL: whatever becomes of any of them, or of the database, nothing
//! accepted is lost and no job is started twice behind anybody's back.

mod claims;
mod cluster;
mod database;
mod hostile;
mod locks;
mod one_file;
mod processes;
mod proof;
mod random;
mod rights;
mod rolling;
mod rows;
mod versions;
