//! The fuzzer on `gateway_fuzz::json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::json::run(data));
