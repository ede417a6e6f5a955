// A store on RocksDB that answers on a port of the loopback: store PORT FOLDER CACHE_MIB. Requests are lines, a connection has a thread:
//   P key length    puts a value that follows from both          D key          deletes
//   G key           the value's length and checksum, or -        S key count    a checksum of so many values from there
//   M               the bytes that RocksDB says it has in memory
//   C               the count and a checksum of all
#include <arpa/inet.h>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

static std::unique_ptr<rocksdb::DB> db;
static std::shared_ptr<rocksdb::Cache> cache;

static uint64_t checksum(const char *bytes, size_t count) {
  uint64_t sum = 14695981039346656037u;
  for (size_t i = 0; i < count; i++) sum = (sum ^ (unsigned char)bytes[i]) * 1099511628211u;
  return sum;
}

// Half of it can be compressed, as is usual.
static std::string value(const std::string &key, size_t length) {
  std::string made(length, 'v');
  uint64_t x = checksum(key.data(), key.size()) ^ length;
  for (size_t i = 0; i < length / 2; i++) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    made[i] = (char)(x >> 56);
  }
  return made;
}

static std::string scan(const std::string &from, uint64_t most) {
  std::unique_ptr<rocksdb::Iterator> entries(db->NewIterator({}));
  uint64_t sum = 0, count = 0;
  for (entries->Seek(from); entries->Valid() && count < most; entries->Next(), count++) {
    sum += checksum(entries->key().data(), entries->key().size()) ^ checksum(entries->value().data(), entries->value().size());
  }
  return std::to_string(count) + " " + std::to_string(sum);
}

static std::string answer(const std::string &line) {
  std::istringstream words(line);
  char verb = 0;
  std::string key, found;
  uint64_t number = 0;
  words >> verb >> key >> number;
  switch (verb) {
  case 'P': return db->Put({}, key, value(key, number)).ok() ? "+" : "failed";
  case 'D': return db->Delete({}, key).ok() ? "+" : "failed";
  case 'G':
    if (!db->Get({}, key, &found).ok()) return "-";
    return std::to_string(found.size()) + " " + std::to_string(checksum(found.data(), found.size()));
  case 'S': return scan(key, number);
  case 'C': return scan("", UINT64_MAX);
  case 'M': {
    uint64_t tables = 0, readers = 0;
    db->GetIntProperty(rocksdb::DB::Properties::kSizeAllMemTables, &tables);
    db->GetIntProperty(rocksdb::DB::Properties::kEstimateTableReadersMem, &readers);
    return std::to_string(tables + readers + cache->GetUsage());
  }
  default: return "failed";
  }
}

static void serve(int client) {
  std::string in, out;
  char buffer[1 << 14];
  for (ssize_t count; (count = read(client, buffer, sizeof buffer)) > 0;) {
    in.append(buffer, count);
    size_t start = 0;
    for (size_t end; (end = in.find('\n', start)) != std::string::npos; start = end + 1) {
      out += answer(in.substr(start, end - start)) + "\r\n";
    }
    in.erase(0, start);
    for (size_t sent = 0; sent < out.size();) {
      ssize_t now = write(client, out.data() + sent, out.size() - sent);
      if (now <= 0) break;
      sent += now;
    }
    out.clear();
  }
  close(client);
}

int main(int, char **arguments) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);

  cache = rocksdb::NewLRUCache(std::stoul(arguments[3]) << 20);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 8 << 20;
  options.target_file_size_base = 8 << 20;
  options.IncreaseParallelism(2);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB *opened = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(options, arguments[2], &opened);
  if (!status.ok()) return fprintf(stderr, "%s\n", status.ToString().c_str()), 1;
  db.reset(opened);

  int server = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)std::stoul(arguments[1]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(server, (sockaddr *)&address, sizeof address) != 0 || listen(server, 64) != 0) return perror("store"), 1;
  std::thread([server] {
    for (int client; (client = accept(server, nullptr, nullptr)) >= 0;) std::thread(serve, client).detach();
  }).detach();
  int signal;
  sigwait(&ends, &signal);
  db->Close();
  _exit(0); // threads of connections may still run
}
