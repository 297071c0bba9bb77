package store

import (
	"sync"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
)

// keepPages keeps SQLite's allocator from giving memory back and taking it
// again all the time: it returns a page to the system with the last piece in
// it, so where one piece of a size comes and goes, as a cursor does with each
// statement, every time costs two system calls and fresh zeroes. A piece of
// each size that stays keeps a page of them, a megabyte in all.
var keepPages = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	defer tls.Close()
	for size := types.Size_t(16); size <= 16<<10; size *= 2 {
		libc.Xmalloc(tls, size)
	}
})
