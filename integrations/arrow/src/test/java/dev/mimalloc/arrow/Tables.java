package dev.mimalloc.arrow;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FixedSizeBinaryVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.complex.impl.UnionFixedSizeListWriter;
import org.apache.arrow.vector.complex.impl.UnionListWriter;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** A table with vectors of many kinds, whose contents follow from the row's number; every seventh value is null. */
final class Tables {
    private static final ArrowType LONG = new ArrowType.Int(64, true);

    static final Schema SCHEMA = new Schema(List.of(
            column("long", LONG),
            column("double", new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE)),
            column("bit", ArrowType.Bool.INSTANCE),
            column("decimal", new ArrowType.Decimal(20, 2, 128)),
            column("bytes", new ArrowType.FixedSizeBinary(3)),
            column("text", ArrowType.Utf8.INSTANCE),
            column("largeText", ArrowType.LargeUtf8.INSTANCE),
            column("list", ArrowType.List.INSTANCE, column("item", LONG)),
            column("pair", new ArrowType.FixedSizeList(2), column("item", LONG)),
            column("struct", ArrowType.Struct.INSTANCE, column("a", LONG), column("b", ArrowType.Utf8.INSTANCE))));

    private Tables() {}

    private static Field column(String name, ArrowType type, Field... children) {
        return new Field(name, FieldType.nullable(type), List.of(children));
    }

    /** Fills from nothing, so that every vector grows many times. */
    static VectorSchemaRoot create(BufferAllocator allocator, int rows) {
        VectorSchemaRoot table = VectorSchemaRoot.create(SCHEMA, allocator);
        fill(table, rows);
        return table;
    }

    static void fill(VectorSchemaRoot table, int rows) {
        UnionListWriter list = ((ListVector) table.getVector("list")).getWriter();
        UnionFixedSizeListWriter pair = ((FixedSizeListVector) table.getVector("pair")).getWriter();
        StructVector struct = (StructVector) table.getVector("struct");
        for (int row = 0; row < rows; row++) {
            if (row % 7 == 0) continue;
            ((BigIntVector) table.getVector("long")).setSafe(row, row);
            ((Float8Vector) table.getVector("double")).setSafe(row, row / 2.0);
            ((BitVector) table.getVector("bit")).setSafe(row, row % 2);
            ((DecimalVector) table.getVector("decimal")).setSafe(row, BigDecimal.valueOf(row, 2));
            ((FixedSizeBinaryVector) table.getVector("bytes")).setSafe(row, bytes(row));
            byte[] text = text(row).getBytes(StandardCharsets.UTF_8);
            ((VarCharVector) table.getVector("text")).setSafe(row, text);
            ((LargeVarCharVector) table.getVector("largeText")).setSafe(row, text);
            list.setPosition(row);
            list.startList();
            for (int i = 0; i < row % 5; i++) list.writeBigInt(row + i);
            list.endList();
            pair.setPosition(row);
            pair.startList();
            pair.writeBigInt(row);
            pair.writeBigInt(-row);
            pair.endList();
            struct.getChild("a", BigIntVector.class).setSafe(row, row);
            struct.getChild("b", VarCharVector.class).setSafe(row, text);
            struct.setIndexDefined(row);
        }
        table.setRowCount(rows);
    }

    private static byte[] bytes(int row) { return new byte[] {(byte) row, (byte) (row >> 8), 7}; }

    private static String text(int row) { return "row " + Integer.toString(row, 36).repeat(row % 11); }

    /** It holds rows {@code first} and on of what {@link #fill} has made. */
    static void assertFilled(VectorSchemaRoot table, int first, int rows) {
        assertThat(table.getRowCount()).isEqualTo(rows);
        for (int i = 0; i < rows; i++) {
            int row = first + i;
            boolean isNull = row % 7 == 0;
            for (var vector : table.getFieldVectors()) {
                assertThat(vector.isNull(i)).as(vector.getName()).isEqualTo(isNull);
            }
            if (isNull) continue;
            assertThat(table.getVector("long").getObject(i)).isEqualTo((long) row);
            assertThat(table.getVector("double").getObject(i)).isEqualTo(row / 2.0);
            assertThat(table.getVector("bit").getObject(i)).isEqualTo(row % 2 == 1);
            assertThat(table.getVector("decimal").getObject(i)).isEqualTo(BigDecimal.valueOf(row, 2));
            assertThat(table.getVector("bytes").getObject(i)).isEqualTo(bytes(row));
            assertThat(table.getVector("text").getObject(i)).hasToString(text(row));
            assertThat(table.getVector("largeText").getObject(i)).hasToString(text(row));
            List<?> list = (List<?>) table.getVector("list").getObject(i);
            assertThat(list).hasSize(row % 5);
            for (int j = 0; j < row % 5; j++) assertThat(list.get(j)).isEqualTo((long) row + j);
            assertThat(table.getVector("pair").getObject(i)).hasToString("[" + row + "," + -row + "]");
            StructVector struct = (StructVector) table.getVector("struct");
            assertThat(struct.getChild("a").getObject(i)).isEqualTo((long) row);
            assertThat(struct.getChild("b").getObject(i)).hasToString(text(row));
        }
    }
}
