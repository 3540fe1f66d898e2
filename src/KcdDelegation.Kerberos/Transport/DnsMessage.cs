using System.Buffers.Binary;
using System.Text;
using KcdDelegation.Kerberos.Binary;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The subset of DNS messages (RFC 1035) for SRV look-ups: one question and the records that answer it.</summary>
internal static class DnsMessage
{
    private const ushort Srv = 33;
    private const ushort CanonicalName = 5;
    private const ushort Internet = 1;
    private const int MaxNameLength = 253;
    private const int MaxAliases = 8;

    // Compression needs a few pointers for one name. A chain of thousands would be followed again for each record.
    private const int MaxPointers = 64;

    /// <summary>Encodes a query. Returns null if the name is not a valid DNS name (RFC 1035 §2.3.4), such as an X.500 realm.</summary>
    public static byte[]? EncodeQuery(ushort id, string name)
    {
        var labels = name.Split('.');
        if (name.Length > MaxNameLength || labels.Any(label => label.Length is 0 or > 63 || !label.All(IsHostCharacter)))
            return null;
        using var writer = new BigEndianWriter();
        writer.WriteUInt16(id);
        // RFC 1035 §4.1.1: a standard query with "recursion desired" and one question.
        writer.WriteUInt16(0x0100);
        writer.WriteUInt16(1);
        writer.WriteUInt16(0);
        writer.WriteUInt16(0);
        writer.WriteUInt16(0);
        foreach (var label in labels)
        {
            writer.WriteByte((byte)label.Length);
            writer.WriteBytes(Encoding.ASCII.GetBytes(label));
        }
        writer.WriteByte(0);
        writer.WriteUInt16(Srv);
        writer.WriteUInt16(Internet);
        return writer.Written.ToArray();
    }

    /// <summary>Returns whether a packet answers this query: same identifier, same question (RFC 5452 §9.1).</summary>
    public static bool IsAnswerTo(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> query)
    {
        if (packet.Length < query.Length || !packet[..2].SequenceEqual(query[..2]))
            return false;
        // QR is set, the opcode is 0 (standard query), and there is one question.
        return (packet[2] & 0xf8) == 0x80 && BinaryPrimitives.ReadUInt16BigEndian(packet[4..]) == 1
            && Ascii.EqualsIgnoreCase(packet[12..query.Length], query[12..]);
    }

    /// <summary>Returns whether the answer was truncated to fit the datagram.</summary>
    public static bool IsTruncated(ReadOnlySpan<byte> answer) => (answer[2] & 0x02) != 0;

    /// <summary>Returns the records of an answer (<see cref="IsAnswerTo"/>), or an empty list if the name or the type does not
    /// exist.</summary>
    /// <exception cref="InvalidDataException">The server reported an error, or the packet is malformed.</exception>
    public static IReadOnlyList<SrvRecord> ReadAnswer(ReadOnlySpan<byte> answer, ReadOnlySpan<byte> query)
    {
        const int NameError = 3;
        switch (answer[3] & 0x0f)
        {
            case 0:
                break;
            case NameError:
                return [];
            case var code:
                throw new InvalidDataException($"answered with DNS error {code}");
        }

        var reader = new BigEndianReader(answer);
        reader.ReadBytes(6);
        var count = reader.ReadUInt16();
        reader.ReadBytes(4);
        var name = ReadName(ref reader, answer);
        reader.ReadBytes(4);
        return ReadRecords(ref reader, answer, count, name);
    }

    private static List<SrvRecord> ReadRecords(ref BigEndianReader reader, ReadOnlySpan<byte> answer, int count, string name)
    {
        var records = new List<SrvRecord>();
        var aliases = 0;
        for (; count > 0; count--)
        {
            var owner = ReadName(ref reader, answer);
            var (type, netClass, seconds) = (reader.ReadUInt16(), reader.ReadUInt16(), reader.ReadUInt32());
            var end = reader.ReadUInt16() + reader.Position;
            // Names in the data can point to anything before them, so the data is read in place. A record must end where its length says.
            if (end > answer.Length)
                throw new InvalidDataException("sent a DNS record that is cut off");
            if (netClass != Internet || !owner.Equals(name, StringComparison.OrdinalIgnoreCase) || type is not (Srv or CanonicalName))
            {
                reader.ReadBytes((uint)(end - reader.Position));
                continue;
            }
            if (type == Srv)
            {
                records.Add(new SrvRecord(
                    reader.ReadUInt16(), reader.ReadUInt16(), reader.ReadUInt16(), ReadName(ref reader, answer),
                        TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue))));
            }
            else
            {
                name = ReadName(ref reader, answer);
                if (++aliases > MaxAliases)
                    throw new InvalidDataException("sent a chain of too many DNS aliases");
            }
            if (reader.Position != end)
                throw new InvalidDataException("sent a DNS record with a wrong length");
        }
        return records;
    }

    /// <summary>Reads a name (RFC 1035 §4.1.4). Each pointer must point further back than the one before, which rules out cycles.</summary>
    private static string ReadName(ref BigEndianReader reader, ReadOnlySpan<byte> packet)
    {
        var name = new StringBuilder();
        var labels = reader;
        var (start, jumped, pointers) = (reader.Position, false, 0);
        while (labels.ReadByte() is var size && size != 0)
        {
            if ((size & 0xc0) == 0xc0)
            {
                var target = ((size & 0x3f) << 8) | labels.ReadByte();
                if (target >= start)
                    throw new InvalidDataException("sent a DNS name that points forward");
                if (++pointers > MaxPointers)
                    throw new InvalidDataException("sent a DNS name with too many pointers");
                if (!jumped)
                    reader = labels;
                (start, jumped) = (target, true);
                labels = new BigEndianReader(packet[target..]);
                continue;
            }
            if (size > 63)
                throw new InvalidDataException("sent a DNS label of an unknown type");
            if (name.Length > 0)
                name.Append('.');
            foreach (var letter in labels.ReadBytes(size))
                name.Append(IsHostCharacter((char)letter) ? (char)letter : '?');
            if (name.Length > MaxNameLength)
                throw new InvalidDataException("sent a DNS name that is too long");
        }
        if (!jumped)
            reader = labels;
        return name.ToString();
    }

    private static bool IsHostCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
}
