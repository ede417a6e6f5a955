/** What a running process does with its memory, to look at: a map of its heap, and statistics as they change. */
package dev.mimalloc.tools.view;
