/** Heap profiles: samples counted by stack, and the formats that they are written in. Loaded with the first profile. */
package dev.mimalloc.profile;
