//! The fuzzer on `gateway_fuzz::expressions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::expressions::run(data));
