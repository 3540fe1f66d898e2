using System.Buffers.Binary;
using System.Text;

namespace KcdDelegation.Kerberos.Tests.Transport;

/// <summary>Creates the answers of a name server. Owner names are pointers to the question.</summary>
internal static class DnsAnswers
{
    private static readonly byte[] Question = [0xc0, 12];

    public static byte[] To(byte[] query, params byte[][] records)
    {
        byte[] answer = [.. query, .. records.SelectMany(record => record)];
        answer[2] |= 0x80;
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(6), (ushort)records.Length);
        return answer;
    }

    public static byte[] WithCode(byte[] query, int code)
    {
        var answer = To(query);
        answer[3] = (byte)code;
        return answer;
    }

    public static byte[] Truncated(byte[] query)
    {
        var answer = To(query);
        answer[2] |= 2;
        return answer;
    }

    public static byte[] Srv(int priority, int weight, int port, string target, uint ttl = 600) =>
        Record(Question, 33, ttl, [.. U16(priority), .. U16(weight), .. U16(port), .. Name(target)]);

    public static byte[] Record(byte[] owner, int type, uint ttl, byte[] data) =>
        [.. owner, .. U16(type), .. U16(1), .. U16((int)(ttl >> 16)), .. U16((int)(ttl & 0xffff)), .. U16(data.Length), .. data];

    public static byte[] Name(string name) =>
        [.. name.Split('.', StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(label => Encoding.ASCII.GetBytes(label).Prepend((byte)label.Length)), 0];

    /// <summary>Returns the name in the question, without the final dot.</summary>
    public static string GetQuestion(byte[] query)
    {
        var labels = new List<string>();
        for (var at = 12; query[at] != 0; at += query[at] + 1)
            labels.Add(Encoding.ASCII.GetString(query, at + 1, query[at]));
        return string.Join('.', labels);
    }

    private static byte[] U16(int value) => [(byte)(value >> 8), (byte)value];
}
