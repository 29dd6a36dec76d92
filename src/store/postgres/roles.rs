//! Grants the roles of the processes their rights, and the roles to logins: what `deploy/postgres/roles.sql` does, for
//! places without `psql`, such as an image.

use super::connection::{Connection, Connections};
use super::values::{get, params};
use crate::store::StoreFault;

/// What each role may do, as a script of its own transaction.
const ROLES: &str = include_str!("../../../deploy/postgres/roles.sql");
const INGEST: &str = "cdsw_gateway_ingest";
const DISPATCH: &str = "cdsw_gateway_dispatch";

/// The logins of the processes, which are there already.
#[derive(Clone, Debug, Default)]
pub struct Logins {
    /// Those of processes of role `ingest`.
    pub ingest: Vec<String>,
    /// Those of processes of role `dispatch`.
    pub dispatch: Vec<String>,
}

impl Logins {
    /// To whom each role is granted, in words; empty where to nobody.
    pub fn words(&self) -> String {
        let words = |role: &str, logins: &[String]| match logins {
            [] => String::new(),
            logins => format!(", {role} to {}", logins.join(" and ")),
        };
        format!("{}{}", words(INGEST, &self.ingest), words(DISPATCH, &self.dispatch))
    }

    fn each(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let ingest = self.ingest.iter().map(|login| (INGEST, login));
        ingest.chain(self.dispatch.iter().map(|login| (DISPATCH, login)))
    }
}

/// What the database says of a login.
struct Known {
    is_there: bool,
    has_the_role: bool,
    may_dispatch: bool,
}

pub(super) async fn grant(pool: &Connections, logins: &Logins) -> Result<(), StoreFault> {
    let connection = pool.connection().await?;
    connection.plain(ROLES).await?;
    for (role, login) in logins.each() {
        let known = look(&connection, role, login).await?;
        if let Some(statement) = decide(role, login, &known, logins)? {
            connection.plain(&statement).await?;
        }
    }
    Ok(())
}

async fn look(connection: &Connection, role: &str, login: &str) -> Result<Known, StoreFault> {
    let row = connection
        .one(
            "SELECT rolcanlogin, pg_has_role(rolname, $2, 'MEMBER'), pg_has_role(rolname, $3, 'MEMBER') \
             FROM pg_roles WHERE rolname = $1",
            params![login, role, DISPATCH],
        )
        .await?;
    Ok(match row {
        None => Known { is_there: false, has_the_role: false, may_dispatch: false },
        Some(row) => Known {
            is_there: get(&row, 0)?,
            has_the_role: get(&row, 1)?,
            may_dispatch: get(&row, 2)?,
        },
    })
}

/// The statement that gives a login its role; none where it has it.
///
/// # Errors
/// Where there is no such login, or one of an ingest process has the rights of the other zone too.
fn decide(
    role: &str,
    login: &str,
    known: &Known,
    logins: &Logins,
) -> Result<Option<String>, StoreFault> {
    if !known.is_there {
        return Err(StoreFault::Unusable(format!(
            "there is no login `{login}`: make it with CREATE ROLE {} LOGIN PASSWORD '…', as a user that may",
            quoted(login)
        )));
    }
    let is_of_both = logins.dispatch.iter().any(|other| other == login);
    if role == INGEST && known.may_dispatch && !is_of_both {
        return Err(StoreFault::Unusable(format!(
            "the login `{login}` of ingest processes has the rights of {DISPATCH} too, so nothing would keep \
             ingest from them: revoke that role, or name another login"
        )));
    }
    Ok((!known.has_the_role).then(|| format!("GRANT {role} TO {}", quoted(login))))
}

/// A name as SQL writes it, whatever characters it has.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: Known = Known { is_there: true, has_the_role: false, may_dispatch: false };

    fn logins(ingest: &[&str], dispatch: &[&str]) -> Logins {
        let names = |all: &[&str]| all.iter().map(|&name| name.to_owned()).collect();
        Logins { ingest: names(ingest), dispatch: names(dispatch) }
    }

    #[test]
    fn a_login_gets_its_role_once_and_by_its_very_name() {
        let all = logins(&["edge\"; DROP TABLE runs; --"], &[]);
        let name = all.ingest[0].clone();
        let given = decide(INGEST, &name, &THERE, &all).expect("it is granted");
        let wanted = "GRANT cdsw_gateway_ingest TO \"edge\"\"; DROP TABLE runs; --\"";
        assert_eq!(given.as_deref(), Some(wanted));
        let known = Known { has_the_role: true, ..THERE };
        assert_eq!(decide(INGEST, &name, &known, &all).expect("it has it"), None);
    }

    #[test]
    fn a_login_that_is_not_there_and_one_that_may_do_both_are_refused() {
        let all = logins(&["edge"], &["inside"]);
        let absent = Known { is_there: false, ..THERE };
        assert!(decide(INGEST, "edge", &absent, &all).is_err());
        let both = Known { may_dispatch: true, ..THERE };
        assert!(decide(INGEST, "edge", &both, &all).is_err());
        assert!(decide(DISPATCH, "inside", &both, &all).is_ok());
        let one = logins(&["gateway"], &["gateway"]);
        assert!(decide(INGEST, "gateway", &both, &one).is_ok(), "a process of role all does both");
    }
}
