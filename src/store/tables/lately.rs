//! What happened lately, by source and by route: the newest rows of two tables, a bounded number of each, so that
//! a list costs the same however many rows are kept. Both databases understand these statements.

use jiff::Timestamp;

use super::Row;
use crate::store::{LATELY_ROWS, RunsLately, SourceLately, StoreFault};

/// The newest deliveries by source; counts those since `$1`. `order` is the column that orders them by acceptance.
pub(in crate::store) fn sources(order: &str) -> String {
    format!(
        "SELECT substr(source, 1, 300) AS name, count(*) AS looked_at, \
           count(*) FILTER (WHERE received_at >= $1) AS deliveries, \
           min(received_at) AS earliest, max(received_at) AS latest \
         FROM (SELECT source, received_at FROM deliveries ORDER BY {order} DESC LIMIT {LATELY_ROWS}) AS newest \
         GROUP BY 1 ORDER BY 1"
    )
}

/// The newest runs by route, job and state; counts those that were accepted since `$1`.
pub(in crate::store) fn runs() -> String {
    format!(
        "SELECT substr(route, 1, 300) AS of_route, substr(job, 1, 300) AS of_job, state AS in_state, \
           count(*) AS looked_at, count(*) FILTER (WHERE accepted_at >= $1) AS runs, \
           min(accepted_at) AS earliest, max(accepted_at) AS latest, max(changed_at) AS changed \
         FROM (SELECT route, job, state, accepted_at, changed_at FROM runs ORDER BY seq DESC \
           LIMIT {LATELY_ROWS}) AS newest \
         GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
}

pub(in crate::store) fn source(row: &impl Row) -> Result<(Reach, SourceLately), StoreFault> {
    let source = SourceLately {
        source: row.text("name")?,
        deliveries: row.count("deliveries")?,
        last: row.moment("latest")?,
    };
    Ok((reach(row)?, source))
}

pub(in crate::store) fn run(row: &impl Row) -> Result<(Reach, RunsLately), StoreFault> {
    let runs = RunsLately {
        route: row.text("of_route")?,
        job: row.text("of_job")?,
        state: row.spelled("in_state")?,
        runs: row.count("runs")?,
        accepted: row.moment("latest")?,
        changed: row.moment("changed")?,
    };
    Ok((reach(row)?, runs))
}

/// How many rows one row of the answer is made from, and when the first of them was accepted.
pub(in crate::store) type Reach = (u64, Timestamp);

fn reach(row: &impl Row) -> Result<Reach, StoreFault> {
    Ok((row.count("looked_at")?, row.moment("earliest")?))
}

/// The rows, and how far back they reach: `None` where all rows that are kept were looked at.
pub(in crate::store) fn whole<T>(found: Vec<(Reach, T)>) -> (Vec<T>, Option<Timestamp>) {
    let looked_at: u64 = found.iter().map(|((count, _), _)| count).sum();
    let earliest = found.iter().map(|((_, earliest), _)| *earliest).min();
    let rows = found.into_iter().map(|(_, row)| row).collect();
    (rows, earliest.filter(|_| looked_at >= LATELY_ROWS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_reach_back_to_a_moment_only_where_there_may_be_older_ones() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        assert_eq!(whole(vec![((3, at(5)), 'a'), ((2, at(4)), 'b')]), (vec!['a', 'b'], None));
        let many = vec![((LATELY_ROWS - 1, at(5)), 'a'), ((1, at(4)), 'b')];
        assert_eq!(whole(many).1, Some(at(4)));
        assert_eq!(whole(Vec::<(Reach, char)>::new()), (Vec::new(), None));
    }
}
