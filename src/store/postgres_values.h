// PostgreSQL's values in their binary form, and which of our SQL is written otherwise there.
// Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/database.h"

namespace ampacity::store::postgres {

// Types by their numbers (pg_type.dat).
inline constexpr unsigned boolean = 16, bytea = 17, int8 = 20, int2 = 21, int4 = 23, text = 25,
                          oid = 26, numeric = 1700;

void put_big_endian(std::string& out, std::uint64_t v, int bytes);
std::uint64_t big_endian(std::string_view bytes);

Statement::Type type_of(unsigned type);
// Of whole numbers of any type, as sums are: what does not fit is cut off.
std::int64_t integer_of(unsigned type, std::string_view bytes);

// ? and ?1 as $1; `parameters` is how many.
std::string with_dollars(std::string_view sql, int& parameters);
// What makes our tables: INTEGER is BIGINT, BLOB is BYTEA, TEXT sorts by its bytes, there is no
// WITHOUT ROWID, and a trigger goes with its table.
std::string as_postgres(std::string_view ddl);

}  // namespace ampacity::store::postgres
