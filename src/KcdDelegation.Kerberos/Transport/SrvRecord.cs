using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>RFC 2782: a host that serves, and in which order it is to be asked.</summary>
/// <param name="Priority">The lowest is asked first.</param>
/// <param name="Weight">Among equals, how often one goes before the others.</param>
/// <param name="Port">Where it serves.</param>
/// <param name="Target">The host's name without the last dot; empty: the service is not there.</param>
/// <param name="TimeToLive">How long this may be believed.</param>
internal sealed record SrvRecord(ushort Priority, ushort Weight, ushort Port, string Target, TimeSpan TimeToLive)
{
    /// <summary>By priority; among equals at random, by weight (RFC 2782, "Weight").</summary>
    public static IReadOnlyList<SrvRecord> InOrder(IEnumerable<SrvRecord> records)
    {
        var ordered = new List<SrvRecord>();
        foreach (var equals in records.GroupBy(record => record.Priority).OrderBy(group => group.Key))
        {
            // "Records with weight 0 are placed at the beginning of the list": they win only when zero is drawn.
            var left = equals.OrderBy(record => record.Weight != 0).ToList();
            while (left.Count > 0)
            {
                var drawn = RandomNumberGenerator.GetInt32(left.Sum(record => record.Weight) + 1);
                var sum = 0;
                var chosen = left.First(record => (sum += record.Weight) >= drawn);
                ordered.Add(chosen);
                left.Remove(chosen);
            }
        }
        return ordered;
    }
}
