//! This file is where many ids of 16 bytes are searched in a few steps.
//!
//! The idea: they stand in order, and a table tells for their first bits where those begin. Ids drawn by chance are
//! spread evenly, so that a search looks at some eight of them wherever it begins; ids in a row cost a search by halves.

/// Ids of one table entry, on average.
const TOGETHER: usize = 8;

/// Ids in order.
pub(crate) struct SortedIds {
    ids: Box<[u128]>,
    /// How many bits of an id the table leaves out.
    shift: u32,
    /// Where the ids begin whose first bits are the place in the table; one more for their end.
    starts: Box<[u32]>,
}

impl SortedIds {
    /// All of these, each once; those beyond four thousand millions are left out.
    pub(crate) fn of(mut ids: Vec<u128>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        ids.truncate(u32::MAX as usize);
        ids.shrink_to_fit();
        let bits = (ids.len() / TOGETHER).max(2).ilog2();
        let shift = u128::BITS - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for (place, id) in (0_u32..).zip(&ids) {
            let first = usize::try_from(id >> shift).unwrap_or_default();
            // This one is where its own bits begin and those before it that nothing begins with.
            while starts.len() <= first {
                starts.push(place);
            }
        }
        starts.resize((1 << bits) + 1, u32::try_from(ids.len()).unwrap_or(u32::MAX));
        Self { ids: ids.into_boxed_slice(), shift, starts: starts.into_boxed_slice() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Where that id stands among them.
    pub(crate) fn place(&self, id: u128) -> Option<usize> {
        let first = usize::try_from(id >> self.shift).ok()?;
        let from = usize::try_from(*self.starts.get(first)?).ok()?;
        let to = usize::try_from(*self.starts.get(first + 1)?).ok()?;
        let found = self.ids.get(from..to)?.binary_search(&id).ok()?;
        Some(from + found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ids: &[u128]) {
        let sorted = SortedIds::of(ids.to_vec());
        let mut expected = ids.to_vec();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(sorted.len(), expected.len());
        for (place, id) in expected.iter().enumerate() {
            assert_eq!(sorted.place(*id), Some(place), "{id:x} of {}", ids.len());
            let next = id.wrapping_add(1);
            assert_eq!(sorted.place(next), expected.binary_search(&next).ok());
        }
    }

    #[test]
    fn every_id_has_its_place_and_no_other_has_one() {
        let spread = |count: u128| {
            (0..count)
                .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
                .collect::<Vec<u128>>()
        };
        for count in [0, 1, 2, 15, 16, 17, 1_000] {
            check(&spread(count));
            check(&(0..count).collect::<Vec<u128>>());
            check(&(0..count).map(|n| u128::MAX - 3 * n).collect::<Vec<u128>>());
        }
        check(&[7, 7, 7]);
        assert_eq!(SortedIds::of(Vec::new()).place(0), None);
    }
}
