//! The fuzzer on `gateway_fuzz::forgery`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::forgery::run(data));
