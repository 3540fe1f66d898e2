using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>An SRV record (RFC 2782): a host that provides the service, and its order.</summary>
/// <param name="Priority">The host with the lowest number is asked first.</param>
/// <param name="Weight">The relative frequency with which this host comes first among hosts of equal priority.</param>
/// <param name="Port">The port of the service.</param>
/// <param name="Target">The host name without the final dot. If it is empty, the service is not available.</param>
/// <param name="TimeToLive">How long the record may be cached.</param>
internal sealed record SrvRecord(ushort Priority, ushort Weight, ushort Port, string Target, TimeSpan TimeToLive)
{
    // RFC 2782: records of weight 0 have "a very small chance of being selected" among records of other weights.
    private const double ZeroWeight = 0.01;

    /// <summary>Orders records by priority and, among records of equal priority, at random by weight (RFC 2782, "Weight").</summary>
    public static IReadOnlyList<SrvRecord> Order(IEnumerable<SrvRecord> records) =>
        records.Select(static record => (Record: record, Key: DrawKey(record.Weight)))
            .OrderBy(static entry => entry.Record.Priority).ThenBy(static entry => entry.Key)
            .Select(static entry => entry.Record).ToList();

    /// <summary>Draws a number from the exponential distribution whose rate is the weight.</summary>
    /// <remarks>The smallest of such numbers belongs to each record with a probability proportional to its weight, as does the smallest of
    /// the rest. One sort therefore replaces the draws of RFC 2782.</remarks>
    private static double DrawKey(ushort weight) =>
        -Math.Log(RandomNumberGenerator.GetInt32(1, int.MaxValue) / (double)int.MaxValue) / (weight == 0 ? ZeroWeight : weight);
}
