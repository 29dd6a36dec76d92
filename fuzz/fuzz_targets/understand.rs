//! The fuzzer on `gateway_fuzz::understand`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::understand::run(data));
