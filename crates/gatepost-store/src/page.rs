//! This file is where long lists are cut into pages.

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// How many to pass over.
    pub offset: u32,
    /// How many to return at most.
    pub limit: u32,
}

impl Page {
    /// The list from its beginning, cut where no person reads on.
    pub const LONGEST: Self = Self { offset: 0, limit: 100_000 };
}
