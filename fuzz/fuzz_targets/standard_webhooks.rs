//! The fuzzer on `gateway_fuzz::standard_webhooks`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_fuzz::standard_webhooks::run(data));
