using System.Net;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Exchanges;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The answers of one KDC of the account's realm.</summary>
/// <param name="Kdc">The KDC as configured or found.</param>
/// <param name="Addresses">Its addresses; empty if its name cannot be resolved.</param>
/// <param name="Tcp">The answer over TCP, or null.</param>
/// <param name="TcpFailure">The reason why there is no answer over TCP.</param>
/// <param name="Udp">The answer over UDP, or null.</param>
/// <param name="UdpFailure">The reason why there is no answer over UDP.</param>
internal sealed record KdcState(
    KdcEndpoint Kdc,
    IReadOnlyList<IPAddress> Addresses,
    KdcAnswer? Tcp,
    KerberosException? TcpFailure,
    KdcAnswer? Udp,
    KerberosException? UdpFailure)
{
    public KdcAnswer? Answer => Tcp ?? Udp;

    /// <summary>Gets the KDC's clock minus this machine's when the answer arrived, in whole seconds; null if it has no time.</summary>
    public TimeSpan? ClockOffset { get; init; }
}
