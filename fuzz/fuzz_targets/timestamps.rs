//! The fuzzer on `gateway_fuzz::timestamps`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::timestamps::run(data));
