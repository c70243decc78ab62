//! P3: one delegated task at a time, which does nothing: what the protocol costs when nothing is shared.

use anyhow::Result;
use mt_beehive::Dispatch;

use super::{
    Row,
    delegates::{Delegates, dispatch_name},
};
use crate::{
    echo,
    measure::{Load, Sample},
};

/// Enough for a median that stays where it is.
const LOAD: Load = Load {
    warm_up: 2_000,
    items: 10_000,
};

/// The row, by one of the two ways in which tasks find their bees.
pub(super) struct P3 {
    pub(super) dispatch: Dispatch,
}

impl Row for P3 {
    fn id(&self) -> &'static str {
        "P3"
    }

    fn variant(&self) -> &'static str {
        dispatch_name(self.dispatch)
    }

    fn title(&self) -> &'static str {
        "delegate, no-op, one at a time, 1 bee: the median of single calls, as calls a second; against the \
         round trip of a byte through tokio and a socket pair"
    }

    fn unit(&self) -> &'static str {
        "k calls/s"
    }

    fn reach(&self) -> f64 {
        match self.dispatch {
            Dispatch::Auction => 1.0 / 4.0,
            Dispatch::Credit => 1.0 / 2.0,
        }
    }

    fn ours(&self) -> Result<Sample> {
        Delegates {
            dispatch: self.dispatch,
            bees: 1,
        }
        .one_at_a_time(LOAD)
    }

    fn limit(&self) -> Result<Sample> {
        echo::round_trips(LOAD)
    }
}
