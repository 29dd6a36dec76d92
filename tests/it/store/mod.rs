//! What every store must do. Each case is written once, against the trait, and runs on each store.

/// Hands every case to a macro, so that each store has them all.
macro_rules! for_every_case {
    ($every_case:ident) => {
        $every_case!(
            cases:
            a_kept_delivery_reads_back_whole,
            a_repeat_gets_the_first_ones_ids_and_starts_nothing,
            the_same_key_at_another_source_is_another_delivery,
            a_key_is_free_again_after_seven_days,
            identical_deliveries_at_once_make_one_set_of_runs,
            a_lease_begins_an_attempt_on_disk,
            a_started_run_names_its_engine_and_stays_started,
            a_retry_is_due_at_its_time_and_not_before,
            only_the_latest_attempt_can_be_settled,
            permits_bound_what_is_taken_and_every_job_has_its_turn,
            runs_of_a_job_are_taken_in_the_order_of_acceptance,
            a_lease_that_ran_out_is_found_and_can_be_settled,
            a_run_past_its_deadline_fails_and_says_so,
            a_clock_that_was_set_back_makes_nobody_wait_for_longer_than_a_pause,
            a_redelivery_queues_what_had_failed_with_todays_environment,
            a_redelivery_leaves_held_and_started_runs_alone,
            a_failed_mapping_is_kept_and_mended_by_a_replay,
            a_replay_starts_nothing_twice_unless_told_to,
            a_held_run_is_settled_by_a_persons_word,
            retention_removes_what_is_old_and_over_and_nothing_else,
            the_size_bound_gives_up_content_but_not_the_knowledge_of_repeats,
            lists_are_newest_first_and_go_on_from_where_they_ended,
            the_beginning_of_an_id_finds_the_ids_that_begin_so,
        );
        $every_case!(
            repeats:
            one_id_with_other_content_is_another_delivery_and_both_are_kept,
            many_contents_of_one_id_at_once_are_each_kept_once,
            no_run_is_given_variables_of_other_content,
            the_window_of_a_delivery_is_its_own,
            a_repeat_is_counted_with_its_time_on_the_delivery_that_it_repeats,
            an_id_stays_known_as_long_as_the_last_delivery_that_has_it,
            an_id_that_is_made_up_to_be_anothers_key_takes_nothing_away,
            a_claim_that_lasts_longer_keeps_its_delivery_known,
        );
        $every_case!(
            erase:
            what_is_erased_is_gone_and_what_happened_stays,
            runs_that_are_not_sent_yet_are_cancelled_before_their_delivery_is_erased,
            a_run_on_the_wire_keeps_its_delivery_from_being_erased,
            a_repeat_of_what_was_erased_is_a_repeat_and_brings_nothing_back,
            a_delivery_can_be_erased_again_and_an_unknown_one_cannot,
        );
        $every_case!(
            flow:
            a_delivery_says_how_many_runs_its_own_took_the_place_of,
            a_burst_becomes_one_run_that_stands_for_all,
            what_waits_is_told_by_job_and_state_and_what_failed_by_time,
            what_happened_lately_is_told_by_source_and_by_route_and_goes_back_further_than_it_counts,
            files_of_routes_are_kept_in_their_last_version_until_they_are_gone,
            a_burst_waits_no_longer_than_it_may,
            runs_of_another_kind_are_left_alone,
            a_run_that_is_tried_again_gives_way_to_a_newer_one,
            a_run_that_is_due_again_comes_before_newer_ones,
            no_minute_has_more_starts_than_the_limit,
            the_brake_holds_what_is_over_it_and_a_persons_word_lets_it_go,
            a_run_that_is_tried_again_is_not_held_by_the_brake,
            the_stop_switch_stops_every_start_and_no_delivery,
            a_paused_job_rests_and_the_others_do_not,
            the_runs_of_a_paused_route_wait_also_those_that_come_later,
            what_rests_is_kept_with_who_and_why,
            a_backlog_is_let_go_at_its_pace_and_newer_runs_wait_their_turn,
            of_a_backlog_only_the_newest_of_each_route_may_be_let_go,
            a_backlog_may_be_held_for_review,
            a_run_can_be_cancelled_until_it_is_on_the_wire,
            every_act_is_in_the_book_newest_first,
            what_becomes_of_a_backlog_is_said_in_the_breath_of_the_resume,
            a_paused_route_holds_back_what_is_tried_again_too,
            the_pace_ends_though_a_paused_routes_run_still_waits,
            every_merged_run_finds_the_one_that_stands_for_it,
            two_bursts_that_become_one_keep_every_link,
            a_refused_key_rests_from_the_moment_that_its_attempt_is_recorded,
            a_trial_is_marked_as_one_and_alone,
            one_job_with_a_hundred_thousand_runs_keeps_no_other_from_its_turn,
            a_run_that_the_configuration_does_not_ask_for_is_held_where_nobody_has_another,
            a_run_that_is_not_asked_for_spends_no_limit_and_keeps_no_other_back,
            a_persons_word_does_not_send_what_the_configuration_does_not_ask_for,
        );
    };
}
pub(crate) use for_every_case;

mod cases;
mod erase;
mod flow;
mod model;
mod postgres;
mod repeats;
mod sqlite;
mod world;
