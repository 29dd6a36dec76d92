-- A usual payload, compressed, stays in its delivery's row instead of going out of line in pieces of 2 kB,
-- each with an entry in another index: a tenth more deliveries a second, for up to a tenth more room. What is
-- larger than a page still goes out of line. Rows that are there stay as they are.
ALTER TABLE deliveries SET (toast_tuple_target = 8160);
