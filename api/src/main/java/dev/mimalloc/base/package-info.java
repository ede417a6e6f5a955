/** What the other packages of this module use: its properties, its errors, who is inside of a heap. */
package dev.mimalloc.base;
