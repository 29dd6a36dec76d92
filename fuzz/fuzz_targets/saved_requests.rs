//! The fuzzer on `gateway_fuzz::saved_requests`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::saved_requests::run(data));
