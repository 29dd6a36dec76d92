//! The fuzzer on `gateway_fuzz::hmac_header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::hmac_header::run(data));
