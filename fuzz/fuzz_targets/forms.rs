//! The fuzzer on `gateway_fuzz::forms`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::forms::run(data));
