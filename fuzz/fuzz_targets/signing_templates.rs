//! The fuzzer on `gateway_fuzz::signing_templates`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::signing_templates::run(data));
