//! Where each target starts from: the signature vectors, the handshakes, the forges' payloads, the
//! example configurations, and a few lines by hand. Made anew each time, so that no copy of them
//! can grow old.

use std::path::{Path, PathBuf};

use cdsw_gateway::providers;
use serde_json::Value as Json;

use super::{credentials, forgery, site, tokens};

/// The inputs that `target` starts from; the same each time, in the same order.
///
/// # Panics
/// When a file of the tests cannot be read.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let mut seeds = match target {
        "authenticate" | "understand" => [requests(), payloads()].concat(),
        "client_address" => lines(CLIENTS),
        "commands" => lines(COMMANDS),
        "configuration" => [configurations(), vec![site::text().into_bytes()]].concat(),
        "credentials" => credentials(),
        "expressions" => with_body(EXPRESSIONS),
        "forgery" => forgeries(),
        "forms" => [bodies(), lines(FORMS)].concat(),
        "hmac_header" => hmac_headers(),
        "json" => [bodies(), payload_files().map(|(_, body)| body).collect()].concat(),
        "keys" => [lines(KEYS), key_files()].concat(),
        "patterns" => lines(PATTERNS),
        "saved_requests" => saved_requests(),
        "signing_templates" => signing_templates(),
        "standard_webhooks" => standard_webhooks(),
        "templates" => with_body(TEMPLATES),
        "timestamps" => timestamps(),
        "tokens" => tokens(),
        _ => Vec::new(),
    };
    seeds.extend(found(target));
    seeds
}

/// What the fuzzer once found: `fuzz/found/TARGET/`, kept for ever.
fn found(target: &str) -> Vec<Vec<u8>> {
    files(&root().join("fuzz/found").join(target)).map(|file| read(&file)).collect()
}

const EXPRESSIONS: &[&str] = &[
    "size(body.commits) > 0",
    "body.ref == 'refs/heads/main' && !body.deleted",
    "body.commits.exists(c, c.message.contains('[train]')) || git.branch in ['main', \"dev\"]",
    "body.commits.all(c, size(c.added) <= 3) ? body.n + 1 > 2 : has(body.x.y)",
    "body.list.map(x, x * 2).filter(y, y % 3 == 0)[0] == -body.n / 7",
    "string(body.n) + body.text.lowerAscii() == '\\u00e4\\n' || body['a-b'][1].startsWith('x')",
    "body.text.matches('^v[0-9]+(\\\\.[0-9]+){2}$') && int(body.word) >= 1e3",
    "git.pull_request.number > 5u && event.kind != \"push\" && delivery.id != ''",
    "[1, 2.5, 'a', {'k': null}] == body.list || {'a': 1}.a == 1",
    "body.list.exists_one(x, x == 1) && type(body.n) == int && double(body.n) < 0.5",
];

const TEMPLATES: &[&str] = &[
    "plain text",
    "push by ${{ git.branch }} at ${{ body.head_commit.id }}",
    "$${{ not a hole }} ${{ body }}",
    "${{ body.list.map(x, string(x)) }}${{ size(body.text) }}",
    "${{ 'a' + \"}}\" }}\u{e4}${{ body.n }}",
    "${{ body.missing",
];

const BODY: &str = r#"{"ref":"refs/heads/main","deleted":false,"n":7,"text":"abc","word":"12","list":[1,2,3],"commits":[{"message":"x [train]","added":["a"]}],"git":{"branch":"main","pull_request":{"number":8}},"a-b":[0,"xy"]}"#;

const FORMS: &[&str] = &[
    "a=1+2&b=%C3%A4&a=%26&c&&d==",
    "token=1&%74oken=2&p%C3%A4ss=3&x=%zz&y=%4",
    "payload=%7B%22a%22%3A1%7D&payload=",
];

const COMMANDS: &[&str] = &[
    "retrain START_DATE=2017-01-01 END_DATE=\"2017 01 31\" fast",
    "score 'a b' NOTE='it''s' X=\u{201e}quoted\u{201c} Y=",
    "A=1 retrain",
    "retrain A=1 A=2 \"open",
    "hi <@U1|bob> <!here> @everyone https://example.com/x #general **b** `c` [a](b)",
    "\\ \\\" = == \u{200b}\u{202e}x \u{ff20}here :smile: a.b",
];

/// Peer, what a client adds, and the lines of the header.
const CLIENTS: &[&str] = &[
    "10.0.0.1\n1.1.1.1\n203.0.113.9, 10.2.0.1\nfd00::1",
    "203.0.113.8\n\n203.0.113.9",
    "::ffff:10.0.0.1\nfor=\"\nfor=\"[2001:db8::1]:4711\";proto=https;by=10.0.0.1, for=10.2.0.1",
    "10.0.0.1\nfor=10.9.9.9;x=\"\nhost=a\"b;for=203.0.113.9",
    "10.0.0.1\n\\\nfor=203.0.113.9;host=\"a,b;for=1.1.1.1\\\"\"",
    "10.0.0.1\n[::1]:80\n[2001:db8::1]:4711, unknown, 10.2.0.1:99",
];

const KEYS: &[&str] = &[
    r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","use":"sig","alg":"ES256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#,
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
    r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","key_ops":["verify"]},{"kty":"oct","k":"AA"}]}"#,
];

const PATTERNS: &[&str] = &[
    "release/1.0\nmain\nrelease/**",
    "models/credit/train.py\nmodels/**\n!**/*.md",
    "a/b\n*",
    "v1.2.3\nv[0-9]*.{1,2}.?\n\\*",
    "refs\n^(a+)+$\n[a-",
];

fn lines(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn with_body(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| format!("{text}\n{BODY}").into_bytes()).collect()
}

/// Every vector and handshake as a request to its provider.
fn requests() -> Vec<Vec<u8>> {
    let handshakes = json(include_str!("../../tests/vectors/handshakes.json"));
    let greetings = handshakes.iter().map(|greeting| (greeting, &greeting["request"]));
    let signatures = json(include_str!("../../tests/vectors/signatures.json"));
    let signed = signatures.iter().map(|vector| (vector, vector));
    let readable = signed.chain(greetings).filter(|(_, request)| body(request).len() < 10_000);
    readable.map(|(about, request)| written(known_as(text(about, "provider")), request)).collect()
}

/// The name that a vector's provider has in configurations.
fn known_as(name: &str) -> &str {
    match name {
        "generic-hmac" => "hmac",
        "generic-basic" => "basic",
        "generic-header-token" => "token",
        own => own,
    }
}

fn written(provider: &str, request: &Json) -> Vec<u8> {
    let method = request.get("method").and_then(Json::as_str).unwrap_or("POST");
    let query = text(request, "query");
    let mut seed = format!("{provider}\n{method} /hooks/{provider}?{query}\n");
    for (name, value) in request.get("headers").and_then(Json::as_object).into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        seed.push_str(&format!("{name}: {value}\n"));
    }
    seed.push('\n');
    seed.push_str(body(request));
    seed.into_bytes()
}

/// The forges' payloads and each provider's own sample, unsigned.
fn payloads() -> Vec<Vec<u8>> {
    let samples = providers::names().filter_map(|name| {
        let provider = providers::find(name)?;
        let sample = provider.sample(provider.sample_kind())?;
        Some((name.to_owned(), provider.sample_kind(), sample.as_bytes().to_vec()))
    });
    let files = payload_files().map(|(forge, body)| (forge, "push", body));
    let requests = samples.chain(files).map(|(provider, kind, body)| {
        let event = match provider.as_str() {
            "github" => "x-github-event",
            "gitlab" => "x-gitlab-event",
            "gitea" => "x-gitea-event",
            "forgejo" => "x-forgejo-event",
            _ => "x-event-key",
        };
        let head = format!("{provider}\nPOST /hooks/{provider}\n{event}: {kind}\n\n");
        [head.into_bytes(), body].concat()
    });
    requests.collect()
}

fn forgeries() -> Vec<Vec<u8>> {
    let bodies = ["{\"a\":1}", "a=1&b=2", ""];
    let own = providers::names().flat_map(|name| {
        let provider = providers::find(name).expect("a provider of the table");
        let header =
            provider.signed_headers(&site::plan().sources[name].options).into_iter().next();
        let header = header.map(|header| format!("{header}: v1=00")).unwrap_or_default();
        let sample = provider.sample(provider.sample_kind());
        bodies.into_iter().chain(sample).map(move |body| {
            let head = format!("{name}\nid-1\n{header}\n{body}");
            [head.as_bytes(), forgery::BETWEEN, body.as_bytes(), b" "].concat()
        })
    });
    own.collect()
}

fn credentials() -> Vec<Vec<u8>> {
    let basic = |text: String| {
        use cdsw_gateway::authenticate::hmac::Encoding;
        format!("\nBasic {}", Encoding::Base64.encode(text.as_bytes()))
    };
    let (user, password) = (credentials::USER, credentials::PASSWORD);
    let seeds = [
        format!("Bearer \nBearer {password}"),
        format!("\n{password}"),
        basic(format!("{user}:{password}")),
        basic(format!("ali:{password}")),
        basic("no colon".to_owned()),
        "Token \nToken".to_owned(),
    ];
    seeds.into_iter().map(String::into_bytes).collect()
}

fn hmac_headers() -> Vec<Vec<u8>> {
    let values =
        vector_headers(|name| name.contains("signature") || name.contains("authorization"));
    let choices = ["0", "1", "2", "3", "4", "A", "I", "T", "d", "y"];
    let prefixes = ["", "sha256=", "v0=", "HMAC "];
    let all = values.into_iter().enumerate().map(|(at, value)| {
        let (choice, prefix) = (choices[at % choices.len()], prefixes[at % prefixes.len()]);
        format!("{choice}\n{prefix}\n{value}\n{BODY}").into_bytes()
    });
    all.collect()
}

fn standard_webhooks() -> Vec<Vec<u8>> {
    let vectors = json(include_str!("../../tests/vectors/signatures.json"));
    let mut seeds = Vec::new();
    for vector in vectors.iter().filter(|vector| vector["headers"].get("webhook-id").is_some()) {
        let header = |name| text(&vector["headers"], name);
        let parts = [
            text(vector, "secret"),
            header("webhook-id"),
            header("webhook-timestamp"),
            header("webhook-signature"),
            body(vector),
        ];
        seeds.push(parts.join("\n").into_bytes());
    }
    seeds
}

fn tokens() -> Vec<Vec<u8>> {
    let now = site::now().as_second();
    let claims = |audience: &str, expires: i64| {
        let issuer = tokens::ISSUER;
        format!(r#"{{"iss":"{issuer}","aud":{audience},"exp":{expires},"nbf":{now},"jti":"1"}}"#)
    };
    let one = format!("\"{}\"", tokens::AUDIENCE);
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let bound =
        claims(&one, now + 60).replace("\"jti\"", &format!("\"payload_hash\":\"{hash}\",\"jti\""));
    let all = [claims(&one, now + 300), claims(&format!("[{one}]"), now - 300), bound];
    let token =
        "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJpc3MiOiJodHRwczovL2NpLmV4YW1wbGUuY29tIn0.AAAA";
    all.map(|claims| format!("{token}\n{claims}\n{{}}").into_bytes()).to_vec()
}

fn key_files() -> Vec<Vec<u8>> {
    files(&root().join("src/providers/samples/keys")).map(|file| read(&file)).collect()
}

fn signing_templates() -> Vec<Vec<u8>> {
    let vectors = json(include_str!("../../tests/vectors/signatures.json"));
    let own =
        ["{body}", "v0:{timestamp}:{body}", "{method} {path}\n{id}.{timestamp}.{body}", "{bo"];
    let templates = vectors.iter().map(|vector| text(vector, "template")).chain(own);
    templates.map(|template| format!("{template}\nid-1\n{BODY}").into_bytes()).collect()
}

/// Those of the tests of commands, with and without a byte order mark, and a form of a HAR file.
fn saved_requests() -> Vec<Vec<u8>> {
    let saved = files(&root().join("tests/it/commands/requests")).map(|file| read(&file));
    let form = r#"{"log":{"entries":[{"request":{"method":"POST","url":"https://a.example/hooks/a?b=c","headers":[],
        "postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a","value":"1 2"}]}}}]}}"#;
    let own =
        ["{\"a\": 1}", "POST /hooks/a HTTP/1.1\nX-A: b\n\n{}\n", "X-A: b\r\n\r\n{}\r\n", form];
    let all = saved.chain(own.iter().map(|text| text.as_bytes().to_vec()));
    let marked =
        |file: Vec<u8>| [[b"\n", &file[..]].concat(), [b"1\n\xef\xbb\xbf", &file[..]].concat()];
    all.flat_map(marked).collect()
}

fn timestamps() -> Vec<Vec<u8>> {
    let times = vector_headers(|name| name.contains("time"));
    let own = ["1789999700", "1790000301", "1790000300000", "-1", "1e9", "99999999999999999999"];
    let all = times.into_iter().chain(own.into_iter().map(str::to_owned));
    all.map(|time| format!("300\n{time}").into_bytes()).collect()
}

fn vector_headers(wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut values = Vec::new();
    for vector in json(include_str!("../../tests/vectors/signatures.json")) {
        for (name, value) in vector["headers"].as_object().into_iter().flatten() {
            if wanted(&name.to_ascii_lowercase()) {
                values.push(value.as_str().unwrap_or_default().to_owned());
            }
        }
    }
    values.sort();
    values.dedup();
    values
}

fn bodies() -> Vec<Vec<u8>> {
    let vectors = json(include_str!("../../tests/vectors/signatures.json"));
    let mut bodies: Vec<Vec<u8>> = vectors.iter().map(|vector| body(vector).into()).collect();
    bodies.sort();
    bodies.dedup();
    bodies
}

fn configurations() -> Vec<Vec<u8>> {
    let own = ["config/gateway.yaml", "tests/config/many-faults.yaml", "src/cli/demo/gateway.yaml"];
    let examples = files(&root().join("config/examples"));
    let own = own.into_iter().map(|name| root().join(name));
    own.chain(examples).map(|file| read(&file)).collect()
}

/// The forges' payloads, with the name of the forge.
fn payload_files() -> impl Iterator<Item = (String, Vec<u8>)> {
    let forges = ["bitbucket-cloud", "forgejo", "gitea", "github", "gitlab"];
    forges.into_iter().flat_map(|forge| {
        let directory = root().join("tests/payloads").join(forge);
        files(&directory).map(move |file| (forge.to_owned(), read(&file))).collect::<Vec<_>>()
    })
}

/// The repository, whichever of its packages this was built in.
fn root() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = above.find(|directory| directory.join("tests/vectors").is_dir());
    root.expect("built within the repository").to_owned()
}

/// The files of a directory, sorted; none where there is no such directory.
fn files(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files.into_iter()
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn json(text: &str) -> Vec<Json> {
    serde_json::from_str(text).expect("the vectors are a list in JSON")
}

fn text<'v>(vector: &'v Json, name: &str) -> &'v str {
    vector.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn body(request: &Json) -> &str {
    text(request, "body")
}
