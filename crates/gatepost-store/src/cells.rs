//! This file is where very many short byte strings lie close together.
//!
//! The idea: blocks are cut into cells of whole units, and a cell that is let go is given to the next string of its size.
//! The allocator takes 16 to 24 bytes beside each of a million such strings, and everything else that is allocated
//! between them made it search. The limits: a kilobyte a string; what is let go serves strings of that size alone.

use std::num::NonZeroU32;

/// Bytes of a unit.
const UNIT: usize = 4;
/// Bytes of a block.
const BLOCK: usize = 1 << 18;
/// Before the string of a cell: how many units it has, and its label.
const HEAD: usize = 3;

/// Strings, each with a label.
#[derive(Default)]
pub(crate) struct Cells {
    blocks: Vec<Box<[u8]>>,
    /// Units that are cut off, of all blocks together.
    cut: usize,
    /// Cells that were let go, by how many units they have.
    free: Vec<Vec<Cell>>,
}

/// Where a string lies: the unit that its cell begins with, counted from one.
#[derive(Clone, Copy)]
pub(crate) struct Cell(NonZeroU32);

impl Cells {
    /// Keeps the string; `None` when it is too long or there is no more room.
    pub(crate) fn put(&mut self, label: u16, string: &[u8]) -> Option<Cell> {
        let units = u8::try_from((HEAD + string.len()).div_ceil(UNIT)).ok()?;
        let reused = self.free.get_mut(usize::from(units)).and_then(Vec::pop);
        let cell = match reused {
            Some(cell) => cell,
            None => self.cut_off(usize::from(units))?,
        };
        let [high, low] = label.to_be_bytes();
        let (head, rest) = self.begun_at(cell)?.split_at_mut_checked(HEAD)?;
        head.copy_from_slice(&[units, high, low]);
        rest.get_mut(..string.len())?.copy_from_slice(string);
        Some(cell)
    }

    /// The label and the string, with whatever comes after it: it must tell where it ends.
    pub(crate) fn at(&self, cell: Cell) -> Option<(u16, &[u8])> {
        let (block, byte) = cell.place();
        let [units, high, low, rest @ ..] = self.blocks.get(block)?.get(byte..)? else {
            return None;
        };
        let string = rest.get(..usize::from(*units) * UNIT - HEAD)?;
        Some((u16::from_be_bytes([*high, *low]), string))
    }

    /// Lets the cell go, and says what its label was.
    pub(crate) fn let_go(&mut self, cell: Cell) -> Option<u16> {
        let (label, string) = self.at(cell)?;
        let units = (HEAD + string.len()) / UNIT;
        if self.free.len() <= units {
            self.free.resize_with(units + 1, Vec::new);
        }
        self.free.get_mut(units)?.push(cell);
        Some(label)
    }

    /// A new cell; what is left of a block that is too short for it is not used.
    fn cut_off(&mut self, units: usize) -> Option<Cell> {
        let in_block = BLOCK / UNIT;
        if self.cut % in_block + units > in_block || self.cut == self.blocks.len() * in_block {
            self.cut = self.blocks.len() * in_block;
            self.blocks.push(vec![0; BLOCK].into_boxed_slice());
        }
        let cell = Cell(NonZeroU32::new(u32::try_from(self.cut + 1).ok()?)?);
        self.cut += units;
        Some(cell)
    }

    fn begun_at(&mut self, cell: Cell) -> Option<&mut [u8]> {
        let (block, byte) = cell.place();
        self.blocks.get_mut(block)?.get_mut(byte..)
    }
}

impl Cell {
    /// The block and the byte in it.
    fn place(self) -> (usize, usize) {
        let unit = self.0.get() as usize - 1;
        (unit / (BLOCK / UNIT), unit % (BLOCK / UNIT) * UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(number: u16) -> Vec<u8> {
        number.to_be_bytes().repeat(1 + usize::from(number % 200))
    }

    fn check(cells: &Cells, kept: &[(u16, Cell)]) {
        for (number, cell) in kept {
            let (label, found) = cells.at(*cell).unwrap();
            assert_eq!((label, found.starts_with(&string(*number))), (*number, true), "{number}");
        }
    }

    #[test]
    fn strings_stay_as_they_are_while_others_come_and_go() {
        let mut cells = Cells::default();
        let put = |cells: &mut Cells, number| (number, cells.put(number, &string(number)).unwrap());
        let mut kept: Vec<_> = (0..10_000).map(|number| put(&mut cells, number)).collect();
        check(&cells, &kept);
        let blocks = cells.blocks.len();
        assert!(blocks > 1, "{blocks}");

        for round in 0..5 {
            for (number, cell) in kept.iter_mut().skip(round).step_by(2) {
                assert_eq!(cells.let_go(*cell), Some(*number));
                *cell = cells.put(*number, &string(*number)).unwrap();
            }
            check(&cells, &kept);
        }
        assert_eq!(cells.blocks.len(), blocks, "what was let go is used again");
    }

    #[test]
    fn a_string_of_a_kilobyte_has_a_cell_and_a_longer_one_has_none() {
        let mut cells = Cells::default();
        assert!(cells.put(1, &[7; 255 * UNIT - HEAD]).is_some());
        assert!(cells.put(1, &[7; 255 * UNIT - HEAD + 1]).is_none());
    }
}
