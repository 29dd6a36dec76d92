//! The fuzzer on `gateway_fuzz::authenticate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::authenticate::run(data));
