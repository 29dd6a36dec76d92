//! What Gitea, Forgejo and Gogs share: everything except names.
//!
//! The signature covers the JSON, even where the JSON is sent in a form. So the payload is taken out of the
//! form before the signature is checked, although the sender is not verified yet. A body's first bytes
//! decide whether it is JSON or a form; its content type does not.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::hmac::Scheme;
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::{ChangedPaths, ChatCommand, GitFacts, Secret, Value};
use crate::providers::forges::facts::{self, Ref};
use crate::providers::forges::{comments, evident, on_commits, words};
use crate::providers::{
    About, DecodeFault, Decoded, Handshake, Identity, Meaning, Options, Outgoing, Provider,
    SignFault, Signed, Verification, decode, header, json_content,
};

/// A forge of this family.
pub(in crate::providers) struct GiteaFamily {
    /// Its name in a configuration.
    pub(super) name: &'static str,
    /// Its name for people.
    pub(super) title: &'static str,
    /// What the documentation says about it.
    pub(super) about: &'static About,
    /// The header with the event's name.
    pub(super) event: HeaderName,
    /// The header with a more specific name of the event, where the forge sends one.
    pub(super) event_type: Option<HeaderName>,
    /// The header with the delivery's id. It is not signed.
    pub(super) delivery: HeaderName,
    /// The header with the HMAC-SHA-256 in hex, without a prefix.
    pub(super) signature: HeaderName,
}

impl Provider for GiteaFamily {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn about(&self) -> &'static About {
        self.about
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![self.signature.clone()]
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Verification { secrets, .. } = *verification;
        let names = [&self.event, &self.delivery].into_iter().chain(&self.event_type);
        headers::at_most_one(request.headers, names)?;
        let value = headers::one(request.headers, &self.signature)?;
        let signed = signed(request.body)?;
        Scheme::HEX_SHA256.verify(&self.signature, value, secrets, &[&signed])
    }

    fn decode(&self, _headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json_or_payload(body).map(Into::into)
    }

    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        let name = facts::event_header(headers, &self.event)?;
        evident::check_push(&self.event, &name, body)?;
        let test = (&*name == "push" && is_test(body)).then_some(Handshake::Acknowledge);
        let action = words::gitea(&name, facts::text(body, &["action"]), body);
        Ok(Meaning { kind: kind(&name, body), name: Some(name), action, handshake: test })
    }

    fn comment_command(&self, meaning: &Meaning, body: &Value) -> Option<ChatCommand> {
        comments::command(meaning, body)
    }

    fn takes_comments(&self) -> bool {
        true
    }

    fn own_action(&self, _meaning: &Meaning, body: &Value) -> Option<Arc<str>> {
        facts::first_text(body, &[&["action"], &["state"]])
    }

    fn identity(&self, request: &Verified<'_>, _body: &Value, _options: &Options) -> Identity {
        Identity::of_header(request.headers(), &self.delivery).unwrap_or_else(|| {
            let signed = signed(request.body()).unwrap_or(Cow::Borrowed(request.body()));
            Identity::of_bytes(&[&signed])
        })
    }

    fn tells_git(&self, _options: &Options) -> bool {
        true
    }

    fn git_facts(&self, meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
        git_facts(meaning, body)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let body = signed(outgoing.body).unwrap_or(Cow::Borrowed(outgoing.body));
        let mut headers = vec![
            json_content(),
            header(&self.event, outgoing.event)?,
            header(&self.delivery, id)?,
            header(&self.signature, Scheme::HEX_SHA256.sign(secret, &[&body]))?,
        ];
        if let Some(name) = &self.event_type {
            headers.push(header(name, outgoing.event)?);
        }
        Ok(headers.into())
    }

    fn sample(&self, kind: &str) -> Option<&'static str> {
        (kind == "push").then_some(include_str!("../samples/gitea-push.json"))
    }
}

fn git_facts(meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let facts = facts::common(body).map(|facts| match &*meaning.kind {
        "push" => push(body, facts),
        "create" => facts::created_or_deleted(body, false, facts),
        "delete" => facts::created_or_deleted(body, true, facts),
        "release" => facts::release(body, facts),
        "pull_request" => facts::pull_request(body, meaning.action.clone(), facts),
        "issue_comment" if body.get("pull_request").is_none_or(Value::is_null) => {
            match facts::commented(body) {
                Some(pull) => facts.about(pull),
                None => facts,
            }
        }
        "issue_comment" => facts::pull_request(body, None, facts),
        kind => on_commits::of(kind, body, facts),
    });
    facts.into_iter().collect()
}

/// The button for a test sends a push that moves nothing.
fn is_test(body: &Value) -> bool {
    let before = facts::commit_id(body, &["before"]);
    before.is_some() && before == facts::commit_id(body, &["after"])
}

fn signed(body: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    match decode::payload(body) {
        Ok(None) => Ok(Cow::Borrowed(body)),
        Ok(Some(payload)) => Ok(Cow::Owned(payload)),
        Err(_) => Err(Refusal::MalformedBody { expected: "a form whose only field is `payload`" }),
    }
}

/// These forges have a name for each of approvals, rejections and reviews, of which the last is also said of
/// comments by some versions; the body shows what it is. Routes see a review as something that happened to a
/// request.
fn kind(name: &Arc<str>, body: &Value) -> Arc<str> {
    if !name.starts_with("pull_request_") {
        name.clone()
    } else if body.get("comment").is_some_and(|comment| !comment.is_null()) {
        "issue_comment".into()
    } else {
        "pull_request".into()
    }
}

/// The list of changed files is complete where the branch existed before, and the list of commits is as
/// long as the sender's total. These forges do not say whether a push was forced, which could also have
/// removed commits.
fn push(body: &Value, facts: GitFacts) -> GitFacts {
    let Ref { branch, tag } = Ref::full(&facts::text(body, &["ref"]).unwrap_or_default());
    let after = facts::commit_id(body, &["after"]);
    let before = facts::commit_id(body, &["before"]);
    let head = facts::commit_id(body, &["head_commit", "id"]).filter(|_| tag.is_some());
    let deleted = after.is_none() && before.is_some();
    // Gogs sends the list of commits without a separate head commit.
    let newest = || {
        let mut commits = facts::commits(body).iter();
        let commit = commits.find(|commit| facts::commit_id(commit, &["id"]) == after)?;
        facts::message(commit, &["message"])
    };
    let known_author = facts::first_text(body, &[&["pusher", "login"], &["pusher", "username"]]);
    let paths = match deleted {
        true => facts::no_paths(),
        false => paths(body, branch.is_some() && before.is_some()),
    };
    let message = facts::message(body, &["head_commit", "message"]).or_else(newest);
    GitFacts {
        sha: if deleted { None } else { head.or(after) },
        author: known_author.or(facts.author),
        message,
        paths,
        deleted,
        before,
        branch,
        tag,
        ..facts
    }
    .of_own_ref()
}

fn paths(body: &Value, branch_was_there: bool) -> ChangedPaths {
    let commits = facts::commits(body);
    let total = body.get("total_commits").and_then(Value::as_u64);
    let all_there = !commits.is_empty() && total == u64::try_from(commits.len()).ok();
    let all_listed = commits.iter().all(|commit| facts::files_of(commit).is_some());
    ChangedPaths {
        files: facts::changed_files(body),
        complete: branch_was_there && all_there && all_listed,
    }
}
