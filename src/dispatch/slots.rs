//! Divides the slots for requests in flight among the jobs. Pure.
//!
//! Where there are slots for all starts that the jobs may have at once, nothing is divided. Otherwise half
//! of the slots are reserved: each workbench gets an equal share, and each of its jobs an equal part of that
//! share. A workbench that hangs then cannot take the slots of other workbenches, nor a job those of other
//! jobs.

use std::collections::HashMap;
use std::sync::Arc;

/// What a job asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wants<'p> {
    pub(super) job: &'p Arc<str>,
    pub(super) workbench: &'p Arc<str>,
    /// How many of its starts may be in flight at once.
    pub(super) at_once: usize,
}

/// Which slots are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// The slots that are reserved for each job.
    Kept,
    /// The slots that any job may use.
    Common,
}

/// The number of slots, and how many of them are reserved for each job.
#[derive(Debug)]
pub(super) struct Slots<'p> {
    all: usize,
    kept: HashMap<&'p Arc<str>, usize>,
}

impl<'p> Slots<'p> {
    /// Divides `all` slots among these jobs.
    pub(super) fn new(all: usize, jobs: &[Wants<'p>]) -> Self {
        let wanted: usize = jobs.iter().map(|job| job.at_once).sum();
        if wanted <= all {
            return Self { all, kept: HashMap::new() };
        }
        let mut jobs_of: HashMap<&Arc<str>, usize> = HashMap::new();
        for job in jobs {
            *jobs_of.entry(job.workbench).or_default() += 1;
        }
        let each = all / 2 / jobs_of.len().max(1);
        let kept = |job: &Wants<'p>| job.at_once.min(each / jobs_of[job.workbench]);
        Self { all, kept: jobs.iter().map(|job| (job.job, kept(job))).collect() }
    }

    /// The rounds in which slots are handed out, in order.
    pub(super) fn rounds(&self) -> &'static [Round] {
        if self.kept.is_empty() { &[Round::Common] } else { &[Round::Kept, Round::Common] }
    }

    /// How many more starts a job may have now, with `busy` of its own in flight.
    pub(super) fn of(&self, job: &Wants<'_>, busy: usize, round: Round) -> usize {
        let most = match round {
            Round::Kept => self.kept.get(job.job).copied().unwrap_or(0),
            Round::Common => job.at_once,
        };
        most.saturating_sub(busy)
    }

    /// How many more starts all jobs together may have now. `busy` are the requests in flight by job, and
    /// `on_the_wire` is their sum.
    pub(super) fn free(
        &self,
        busy: &HashMap<Arc<str>, usize>,
        on_the_wire: usize,
        round: Round,
    ) -> usize {
        let free = self.all.saturating_sub(on_the_wire);
        let unused = |(job, kept): (&&Arc<str>, &usize)| {
            kept.saturating_sub(busy.get(*job).copied().unwrap_or(0))
        };
        match round {
            Round::Kept => free,
            Round::Common => free.saturating_sub(self.kept.iter().map(unused).sum()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<Arc<str>> {
        (0..count).map(|number| number.to_string().into()).collect()
    }

    /// Every job takes as many slots as it can, in this order; gives how many each job has.
    fn greedy(all: usize, jobs: &[Wants<'_>]) -> Vec<usize> {
        let slots = Slots::new(all, jobs);
        let mut busy: HashMap<Arc<str>, usize> = HashMap::new();
        let mut total = 0;
        for round in slots.rounds() {
            let mut free = slots.free(&busy, total, *round);
            for job in jobs {
                let has = busy.entry(Arc::clone(job.job)).or_default();
                let more = slots.of(job, *has, *round).min(free);
                (*has, free, total) = (*has + more, free - more, total + more);
            }
        }
        jobs.iter().map(|job| busy[job.job]).collect()
    }

    #[test]
    fn where_all_find_room_each_has_its_own() {
        let (jobs, benches) = (names(3), names(2));
        let wants = [(0, 0, 4), (1, 0, 200), (2, 1, 52)].map(|(job, bench, at_once)| Wants {
            job: &jobs[job],
            workbench: &benches[bench],
            at_once,
        });
        assert_eq!(greedy(256, &wants), [4, 200, 52]);
        assert_eq!(Slots::new(256, &wants).rounds(), [Round::Common]);
    }

    #[test]
    fn one_workbench_leaves_another_its_turn() {
        let (jobs, benches) = (names(5), names(2));
        let wants = [(0, 0, 128), (1, 0, 128), (2, 0, 128), (3, 1, 4), (4, 1, 100)].map(
            |(job, bench, at_once)| Wants { job: &jobs[job], workbench: &benches[bench], at_once },
        );
        let slots = Slots::new(256, &wants);
        // The first three came before the others wanted anything.
        let busy: HashMap<Arc<str>, usize> =
            [(0, 128), (1, 71), (2, 21)].map(|(job, has)| (Arc::clone(&jobs[job]), has)).into();
        assert_eq!(slots.free(&busy, 220, Round::Common), 0);
        assert_eq!(slots.free(&busy, 220, Round::Kept), 36);
        assert_eq!(slots.of(&wants[3], 0, Round::Kept), 4);
        assert_eq!(slots.of(&wants[4], 0, Round::Kept), 32);
    }

    #[test]
    fn every_place_is_used_and_none_twice() {
        for (count, bench_count) in [(1, 1), (3, 2), (70, 1), (500, 3), (500, 400)] {
            let (jobs, benches) = (names(count), names(bench_count));
            let wants: Vec<Wants<'_>> = jobs
                .iter()
                .enumerate()
                .map(|(number, job)| Wants {
                    job,
                    workbench: &benches[number % bench_count],
                    at_once: 1 + number % 128,
                })
                .collect();
            let has = greedy(256, &wants);
            let wanted: usize = wants.iter().map(|job| job.at_once).sum();
            assert_eq!(has.iter().sum::<usize>(), wanted.min(256), "{count} jobs");
        }
    }
}
