//! `schema`: the JSON Schema of the configuration, or its page of documentation.

use clap::Args;

use super::failure::Failure;
use super::screen::Screen;
use crate::config;

/// Print the JSON Schema of the configuration.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway schema > gateway.schema.json        for editors: completion and checks\n  \
    cdsw-gateway schema --markdown                   the same as a page to read")]
pub(super) struct Schema {
    /// Print the page of documentation that is made from it
    #[arg(long)]
    markdown: bool,
}

impl Schema {
    pub(super) fn run(self, screen: Screen) -> Result<(), Failure> {
        if self.markdown {
            screen.lines(config::docs_markdown().trim_end());
        } else {
            screen.value(&config::schema());
        }
        Ok(())
    }
}
