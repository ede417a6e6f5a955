// A search tree of some ten thousand nodes, each with a text of its own, into which keys are inserted and from which
// they are deleted at random.
// In the manner of Boehm's GCBench and of binary-trees (the Benchmarks Game), with single nodes in place of whole
// trees.
#include "bench.h"

typedef struct node {
  struct node *left, *right;
  uint32_t key, priority;
  char* text;
} node_t;

static size_t nodes;

static node_t* merge(node_t* left, node_t* right) {
  if (left == NULL) return right;
  if (right == NULL) return left;
  if (left->priority > right->priority) {
    left->right = merge(left->right, right);
    return left;
  }
  right->left = merge(left, right->left);
  return right;
}

static void split(node_t* tree, uint32_t key, node_t** below, node_t** above) {
  if (tree == NULL) {
    *below = *above = NULL;
  } else if (tree->key < key) {
    *below = tree;
    split(tree->right, key, &tree->right, above);
  } else {
    *above = tree;
    split(tree->left, key, below, &tree->left);
  }
}

static node_t* new_node(uint32_t key, uint32_t priority, size_t text) {
  node_t* node = malloc(sizeof(node_t));
  node->left = node->right = NULL;
  node->key = key;
  node->priority = priority;
  node->text = marked_malloc(text);
  nodes++;
  return node;
}

static uint64_t free_node(node_t* node) {
  uint64_t size = checked_free(node->text);
  free(node);
  nodes--;
  return size;
}

// Inserts the key, or deletes it when it is there.
static uint64_t toggle(node_t** tree, uint32_t key, uint64_t random) {
  uint32_t priority = (uint32_t)(random >> 32);
  node_t** place = tree;
  while (*place != NULL && (*place)->key != key && (*place)->priority >= priority)
    place = key < (*place)->key ? &(*place)->left : &(*place)->right;
  node_t** found = place;
  while (*found != NULL && (*found)->key != key) found = key < (*found)->key ? &(*found)->left : &(*found)->right;
  if (*found != NULL) {
    node_t* old = *found;
    *found = merge(old->left, old->right);
    return free_node(old);
  }
  node_t* node = new_node(key, priority, 16 + random % 112);
  split(*place, key, &node->left, &node->right);
  *place = node;
  return 0;
}

static uint64_t free_all(node_t* tree, uint32_t low, uint32_t high) {
  if (tree == NULL) return 0;
  if (tree->key < low || tree->key > high) fail("the tree is out of order");
  return free_all(tree->left, low, tree->key) + free_all(tree->right, tree->key, high) + free_node(tree);
}

void work(void) {
  uint64_t random = seed(0), sum = 0;
  node_t* tree = NULL;
  size_t turns = scaled(4000000);
  for (size_t i = 0; i < turns; i++) {
    uint64_t r = next_random(&random);
    sum += toggle(&tree, (uint32_t)(r % 40000), next_random(&random));
  }
  sum += free_all(tree, 0, UINT32_MAX);
  if (nodes != 0) fail("nodes were lost");
  add_to_checksum(sum);
}
