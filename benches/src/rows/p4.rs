//! P4: 1024 delegated tasks in flight, which do nothing, over two bees.

use anyhow::Result;
use mt_beehive::Dispatch;

use super::{
    Row,
    delegates::{Delegates, dispatch_name},
};
use crate::{
    echo::{self, Shape},
    measure::{Load, Sample},
};

/// The delegates in flight.
const IN_FLIGHT: usize = 1024;

/// Enough for a run of half a second and more.
const LOAD: Load = Load {
    warm_up: 20_000,
    items: 200_000,
};

/// The row, by one of the two ways in which tasks find their bees.
pub(super) struct P4 {
    pub(super) dispatch: Dispatch,
}

impl Row for P4 {
    fn id(&self) -> &'static str {
        "P4"
    }

    fn variant(&self) -> &'static str {
        dispatch_name(self.dispatch)
    }

    fn title(&self) -> &'static str {
        "delegate, no-op, 1024 in flight, 2 bees; against the raw echo of one a frame"
    }

    fn unit(&self) -> &'static str {
        "M tasks/s"
    }

    fn reach(&self) -> f64 {
        1.0
    }

    fn ours(&self) -> Result<Sample> {
        Delegates {
            dispatch: self.dispatch,
            bees: 2,
        }
        .many_at_once(LOAD, IN_FLIGHT)
    }

    fn limit(&self) -> Result<Sample> {
        echo::raw_echo(
            LOAD,
            Shape {
                items_per_frame: 1,
                frames_in_flight: 64,
            },
        )
    }
}
