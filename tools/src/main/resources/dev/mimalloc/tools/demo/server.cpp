// A server under load: each thread owns sessions of mixed sizes, replaces one at a time, and hands its whole
// table on to a thread that is started for the next shift, so blocks are freed far from where they were made.
#include <cstdint>
#include <cstdio>
#include <latch>
#include <thread>
#include <vector>

constexpr int threads = 4, shifts = 12, sessions = 4000, requests = 12'000'000;

struct Session {
  std::uint32_t size, mark;
};

struct Table {
  std::uint64_t random, sum = 0;
  Session* slots[sessions] = {};
};

static std::uint64_t next(Table& table) {
  table.random ^= table.random << 13;
  table.random ^= table.random >> 7;
  return table.random ^= table.random << 17;
}

static Session* open(Table& table) {
  std::uint64_t r = next(table);
  std::uint32_t size = sizeof(Session) + r % 64 * ((r >> 32) % 100 == 0 ? 256 : 16);
  char* block = new char[size];
  Session* session = reinterpret_cast<Session*>(block);
  session->size = size;
  session->mark = static_cast<std::uint32_t>(r >> 20);
  block[size - 1] = 1;
  return session;
}

static void close(Table& table, Session* session) {
  table.sum = table.sum * 31 + session->mark + session->size;
  delete[] reinterpret_cast<char*>(session);
}

static std::latch finished(threads);

static void serve(Table* table, int shift) {
  for (int i = 0; i < requests / shifts; i++) {
    Session*& slot = table->slots[next(*table) % sessions];
    close(*table, slot);
    slot = open(*table);
  }
  if (shift + 1 < shifts) std::thread(serve, table, shift + 1).detach();
  else finished.count_down();
}

int main() {
  std::vector<Table*> tables;
  for (int t = 0; t < threads; t++) {
    tables.push_back(new Table{.random = 0x9E3779B97F4A7C15u * (t + 1)});
    for (auto& slot : tables[t]->slots) slot = open(*tables[t]);
  }
  for (auto* table : tables) std::thread(serve, table, 0).detach();
  finished.wait();
  std::uint64_t sum = 0;
  for (int t = 0; t < threads; t++) {
    for (auto* slot : tables[t]->slots) close(*tables[t], slot);
    sum = sum * 31 + tables[t]->sum;
    delete tables[t];
  }
  std::printf("requests %d checksum %016llx\n", threads * requests, static_cast<unsigned long long>(sum));
}
