//! Holds hostile connections to one address until it is ended: `hostile HOST:PORT PATH KIND one|many COUNT`.
//! It prints `ready` when each connection has done its harm once. `hostile --list` prints the kinds.
//! `benches/attack.sh` runs it beside an honest load. The connections are those that the tests attack with.
#![allow(missing_docs, clippy::print_stdout, reason = "a program for the load script alone")]
#![allow(dead_code, reason = "the tests use more of the shared file")]

#[path = "../tests/it/attacks/hostile.rs"]
mod hostile;

use hostile::{Attack, From, Kind};

// One thread, so that it takes as little as it can from the load beside it.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, path, kind, from, count] = arguments.as_slice() else {
        for kind in Kind::ALL {
            println!("{kind:?}");
        }
        return;
    };
    let kind = Kind::ALL.into_iter().find(|known| format!("{known:?}") == *kind);
    let kind = kind.expect("a kind of `--list`");
    let from = if from == "one" { From::One } else { From::Many };
    let address = address.parse().expect("HOST:PORT");
    let count = count.parse().expect("a number of connections");
    let _attack = Attack::start(kind, from, count, address, path.clone().leak()).await;
    println!("ready");
    std::future::pending::<()>().await;
}
