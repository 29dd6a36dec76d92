//! What must be true of encodings and charsets.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 4 << 20;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
    let name = http::HeaderName::from_static(name);
    let values = values.iter().map(|value| HeaderValue::from_str(value).expect("a header"));
    values.map(|value| (name.clone(), value)).collect()
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, ContentFault> {
    let bounds = Bounds { most: LIMIT, room: &mut |_| true };
    let body = Bytes::copy_from_slice(body);
    Ok(plain(headers, &body, bounds)?.unwrap_or(body).to_vec())
}

fn encoded(coding: &str, body: &[u8]) -> Result<Vec<u8>, ContentFault> {
    read(&headers("content-encoding", &[coding]), body)
}

fn in_charset(charset: &str, body: &[u8]) -> Result<String, ContentFault> {
    let content_type = format!("application/json; charset={charset}");
    let read = read(&headers("content-type", &[&content_type]), body)?;
    Ok(String::from_utf8(read).expect("UTF-8"))
}

#[test]
fn each_encoding_is_read_under_each_of_its_names() {
    let text = br#"{"ref": "refs/heads/main"}"#;
    let two_members = [gzip(&text[..5]), gzip(&text[5..])].concat();
    let two_frames =
        [zstd(&text[..5]), vec![0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9], zstd(&text[5..])];
    for (coding, packed) in [
        ("gzip", gzip(text)),
        ("x-gzip", gzip(text)),
        ("GZip", gzip(text)),
        ("gzip", two_members),
        ("deflate", zlib(text)),
        ("deflate", deflate(text)),
        ("zstd", zstd(text)),
        ("zstd", two_frames.concat()),
        ("identity", text.to_vec()),
        ("", text.to_vec()),
        ("gzip, zstd", zstd(&gzip(text))),
        ("deflate , identity,gzip", gzip(&zlib(text))),
    ] {
        assert_eq!(encoded(coding, &packed).as_deref(), Ok(&text[..]), "{coding}");
    }
    let several = headers("content-encoding", &["zstd", "gzip"]);
    assert_eq!(read(&several, &gzip(&zstd(text))).as_deref(), Ok(&text[..]));
}

#[test]
fn what_cannot_be_read_is_named() {
    for (coding, packed, words) in [
        (
            "br",
            b"{}".to_vec(),
            "the body has `Content-Encoding: br`, which is not read here; gzip, deflate, zstd are",
        ),
        (
            "gzip, aes128gcm",
            b"{}".to_vec(),
            "the body has `Content-Encoding: aes128gcm`, which is not read here; gzip, deflate, zstd are",
        ),
        ("gzip,gzip,gzip,gzip", b"{}".to_vec(), "`Content-Encoding` names more than 3 encodings"),
        (
            "gzip",
            b"{}".to_vec(),
            "the body has `Content-Encoding: gzip`, and its bytes are not gzip or end too early",
        ),
        (
            "gzip",
            gzip(b"{}")[..12].to_vec(),
            "the body has `Content-Encoding: gzip`, and its bytes are not gzip or end too early",
        ),
        (
            "zstd",
            b"{}".to_vec(),
            "the body has `Content-Encoding: zstd`, and its bytes are not zstd or end too early",
        ),
        (
            "zstd",
            zstd(&[7; 5000])[..9].to_vec(),
            "the body has `Content-Encoding: zstd`, and its bytes are not zstd or end too early",
        ),
        (
            "deflate",
            vec![0xff; 9],
            "the body has `Content-Encoding: deflate`, and its bytes are not deflate or end too early",
        ),
    ] {
        let fault = encoded(coding, &packed).expect_err("it cannot be read");
        assert_eq!(fault.to_string(), words);
    }
}

#[test]
fn a_small_body_cannot_become_a_large_one() {
    let zeros = vec![0; 3 << 20];
    let too_large = vec![0; (LIMIT + 1) as usize];
    let swollen = ContentFault::Swollen { most: 200 };
    for (pack, name) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zlib, "deflate"), (zstd, "zstd")]
    {
        assert_eq!(encoded(name, &pack(&zeros)), Err(swollen.clone()), "{name}");
        let larger: Vec<u8> =
            too_large.iter().enumerate().map(|(at, _)| ((at * at) >> 7) as u8).collect();
        let fault = encoded(name, &pack(&larger)).expect_err("it is too large");
        assert!(matches!(
            fault,
            ContentFault::TooLarge { limit: LIMIT } | ContentFault::Swollen { .. }
        ));
    }
    // Within each other, neither the last nor an earlier step may be larger.
    assert_eq!(encoded("gzip, gzip", &gzip(&gzip(&zeros))), Err(swollen));
    let mut asked = 0;
    let bounds = Bounds {
        most: LIMIT,
        room: &mut |bytes| {
            asked = bytes;
            bytes < 100_000
        },
    };
    let noise: Vec<u8> =
        (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let body = Bytes::from(gzip(&noise));
    let none = plain(&headers("content-encoding", &["gzip"]), &body, bounds).expect_err("no room");
    assert_eq!(none, ContentFault::NoRoom);
    assert!((100_000..200_000).contains(&asked), "it stops at once: {asked}");
}

#[test]
fn a_window_of_zstd_that_would_take_much_memory_is_refused() {
    // A frame of RFC 8878 whose head asks for a window of 64 MiB, with one empty block.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 16 << 3, 1, 0, 0];
    assert_eq!(encoded("zstd", &frame), Err(ContentFault::Broken("zstd")));
}

#[test]
fn a_text_in_another_charset_is_read() {
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let pair = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(pair).collect()
    };
    let text = r#"{"name": "Zoë"}"#;
    let latin = b"{\"name\": \"Zo\xeb\"}".to_vec();
    for (charset, bytes) in [
        ("iso-8859-1", latin.clone()),
        ("\"ISO-8859-1\"", latin.clone()),
        ("latin1", latin.clone()),
        ("windows-1252", latin),
        ("utf-16", utf16(text, true)),
        ("utf-16", utf16(text, false)),
        ("UTF-16LE", utf16(text, false)),
        ("utf-16be", utf16(text, true)),
        ("utf-16", utf16(&format!("\u{feff}{text}"), true)),
        ("utf-16", utf16(&format!("\u{feff}{text}"), false)),
    ] {
        assert_eq!(in_charset(charset, &bytes).as_deref(), Ok(text), "{charset}");
    }
    assert_eq!(in_charset("shift_jis", b"\"\x93\xfa\x96{\"").as_deref(), Ok("\"日本\""));
    assert_eq!(in_charset("iso-2022-jp", b"\"\x1b$BF|K\\\x1b(B\"").as_deref(), Ok("\"日本\""));
}

#[test]
fn what_is_utf_8_is_read_as_that_whatever_the_header_says() {
    for charset in
        ["iso-8859-1", "utf-16", "utf-16le", "shift_jis", "iso-2022-jp", "gbk", "utf-7", "x"]
    {
        assert_eq!(
            in_charset(charset, "{\"a\": \"Zoë\"}".as_bytes()).as_deref(),
            Ok("{\"a\": \"Zoë\"}")
        );
    }
}

#[test]
fn a_charset_that_is_not_known_or_not_true_is_named() {
    for (charset, bytes, words) in [
        (
            "ebcdic-int",
            &b"\xc0\x7f"[..],
            "the body is in `charset=ebcdic-int`, which is not read here; let the sender use UTF-8",
        ),
        (
            "utf-32",
            b"\0\0\0{\0\0\0}",
            "the body is in `charset=utf-32`, which is not read here; let the sender use UTF-8",
        ),
        ("shift_jis", b"\xff\xff", "the body is said to be in `charset=shift_jis`, and is not"),
        ("utf-16", b"\0{\xd8\0\0}", "the body is said to be in `charset=utf-16`, and is not"),
    ] {
        let fault = in_charset(charset, bytes).expect_err("it cannot be read");
        assert_eq!(fault.to_string(), words);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        coding in prop::sample::select(vec!["gzip", "deflate", "zstd", "zstd, gzip"]),
        head in 0_usize..4,
    ) {
        let starts: [&[u8]; 4] = [b"", b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b"\x28\xb5\x2f\xfd\x20", b"\x78\x9c"];
        let _ = encoded(coding, &[starts[head], &bytes].concat());
    }

    #[test]
    fn what_was_packed_is_read_again(bytes in prop::collection::vec(any::<u8>(), 1..5000)) {
        for (coding, packed) in
            [("gzip", gzip(&bytes)), ("deflate", zlib(&bytes)), ("zstd, gzip", gzip(&zstd(&bytes)))]
        {
            prop_assert_eq!(encoded(coding, &packed), Ok(bytes.clone()));
        }
    }
}
