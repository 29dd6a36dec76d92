//! The fuzzer on `gateway_fuzz::client_address`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::client_address::run(data));
