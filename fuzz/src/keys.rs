//! Public keys as issuers publish them and files hold them: whatever is read is a key that can be
//! asked for, and there are no more of them than were given.

use cdsw_gateway::authenticate::keys::KeySet;

/// A key set, certificates, or keys in PEM form.
pub fn run(data: &[u8]) {
    let read = [KeySet::from_text(data), KeySet::from_jwks(data), KeySet::from_certificates(data)];
    for read in read {
        match read {
            Ok(keys) => assert!(!keys.is_empty() && keys.len() <= data.len()),
            Err(fault) => assert!(fault.to_string().len() < 1000),
        }
    }
    let _ = KeySet::looks_public(data);
}
