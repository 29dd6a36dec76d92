//! The fuzzer on `gateway_fuzz::credentials`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::credentials::run(data));
