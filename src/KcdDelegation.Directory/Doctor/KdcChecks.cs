using System.Globalization;
using System.Net.Sockets;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Exchanges;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The checks of the KDCs of the account's realm, each by itself.</summary>
internal static class KdcChecks
{
    /// <summary>A difference that is worth a look. KDCs refuse five minutes (RFC 4120 §3.1.3).</summary>
    private static readonly TimeSpan NotableSkew = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan SlowAnswer = TimeSpan.FromSeconds(1);

    public static IReadOnlyList<DoctorCheck> All { get; } =
    [
        new(CheckIds.KdcNames, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.None,
            "The realm has KDCs, and their names can be resolved.", CheckNamesAsync),
        new(CheckIds.KdcTcp, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.None, "Every KDC answers over TCP.", CheckTcpAsync),
        new(CheckIds.KdcUdp, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.Kdc,
            "Every KDC that is configured with UDP answers over UDP.", CheckUdpAsync),
        new(CheckIds.KdcClock, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.Kdc,
            "The clocks of this machine and of the KDCs agree.", CheckClockAsync),
    ];

    private static async Task<DoctorFinding> CheckNamesAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var kdcs = await subject.Account.GetKdcsAsync(cancellationToken).ConfigureAwait(false);
        var names = subject.Names();
        if (kdcs.Count == 0)
        {
            return subject.Fix(
                $"No KDC is known for the realm {subject.Account.Realm}: none is configured, and neither krb5.conf nor DNS has one.",
                $"List the KDCs under Kcd:Kdcs, or check DNS: `nslookup -type=SRV _kerberos._tcp.{names.RealmDns}`.")
                with { IsNoAnswer = true };
        }
        var unresolved = kdcs.Where(kdc => kdc.Addresses.Count == 0).Select(kdc => kdc.Kdc.Host).ToList();
        var evidence = kdcs.Select(kdc => kdc.Addresses.Count == 0
            ? $"{kdc.Kdc}: no address"
            : $"{kdc.Kdc}: {string.Join(", ", kdc.Addresses)}");
        if (unresolved.Count > 0)
        {
            return subject.Fix(
                $"The name {string.Join(", ", unresolved)} has no address, so this KDC is never asked.",
                $"Correct the name in Kcd:Kdcs, or its record in DNS: `nslookup {unresolved[0]}`.", evidence);
        }
        var onlyIpv6 = kdcs.Where(kdc => kdc.Answer is null && kdc.Addresses[0].AddressFamily == AddressFamily.InterNetworkV6).ToList();
        return onlyIpv6.Count > 0
            ? subject.Look(
                $"The first address of {onlyIpv6[0].Kdc} is an IPv6 address, and no KDC answers there.",
                "Remove the AAAA record, or make the controller reachable over IPv6.", evidence)
            : subject.Ok(kdcs.Count == 1 ? "" : $"{kdcs.Count} are known.", evidence);
    }

    private static async Task<DoctorFinding> CheckTcpAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var kdcs = await subject.Account.GetKdcsAsync(cancellationToken).ConfigureAwait(false);
        var named = kdcs.Where(kdc => kdc.Addresses.Count > 0).ToList();
        if (named.Count == 0)
            return subject.Skip($"No KDC has an address (check {CheckIds.KdcNames}).", isNoAnswer: true);
        var silent = named.Where(kdc => kdc.Tcp is null).ToList();
        var evidence = named.Select(kdc => kdc.Tcp is { } answer
            ? string.Create(CultureInfo.InvariantCulture, $"{kdc.Kdc}: {answer.RoundTrip.TotalMilliseconds:0} ms")
            : $"{kdc.Kdc}: {kdc.TcpFailure!.Detail}");
        if (silent.Count == 0)
        {
            return named.Find(kdc => kdc.Tcp!.RoundTrip > SlowAnswer) is { } slow
                ? subject.Look($"{slow.Kdc} answers slowly.", "Check the load of the controller and the network to it.", evidence)
                : subject.Ok("", evidence);
        }
        var which = string.Join(", ", silent.Select(kdc => kdc.Kdc));
        var text = silent.Count == named.Count
            ? $"No KDC of {subject.Account.Realm} answers over TCP: {which}."
            : $"{which} does not answer over TCP. Requests use the other KDCs, after a delay.";
        return subject.Fix(text, Remedies.Network(subject.Names()), evidence) with { IsNoAnswer = true };
    }

    private static async Task<DoctorFinding> CheckUdpAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var kdcs = await subject.Account.GetKdcsAsync(cancellationToken).ConfigureAwait(false);
        var evidence = kdcs.Where(kdc => kdc.Addresses.Count > 0).Select(kdc => kdc.Udp is { } answer
            ? string.Create(CultureInfo.InvariantCulture, $"{kdc.Kdc}: {answer.RoundTrip.TotalMilliseconds:0} ms over UDP")
            : $"{kdc.Kdc}: {kdc.UdpFailure!.Detail}").ToList();
        var silent = kdcs.Where(kdc => kdc.Kdc.Transport == KdcTransport.Udp && kdc.Udp is null && kdc.Addresses.Count > 0).ToList();
        return silent.Count == 0
            ? subject.Ok("", evidence)
            : subject.Look(
                $"{silent[0].Kdc} is configured with UDP and does not answer over it, so each exchange first waits for UDP.",
                "Open UDP port 88 to the KDC, or remove udp/ from its entry in Kcd:Kdcs.", evidence);
    }

    private static async Task<DoctorFinding> CheckClockAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var kdcs = await subject.Account.GetKdcsAsync(cancellationToken).ConfigureAwait(false);
        var clocks = kdcs.Where(kdc => kdc.ClockOffset is not null).Select(kdc => (kdc.Kdc, Offset: kdc.ClockOffset!.Value)).ToList();
        var evidence = clocks.Select(clock =>
            string.Create(CultureInfo.InvariantCulture, $"{clock.Kdc}: {clock.Offset.TotalSeconds:+0;-0;0} s")).ToList();
        if (subject.Fault is { } fault)
            return subject.Explain(fault, Remedies.Clocks(subject.Names()), evidence);
        var furthest = clocks.OrderByDescending(clock => clock.Offset.Duration()).FirstOrDefault();
        if (furthest.Offset.Duration() >= ExchangeContext.AllowedSkew)
        {
            return subject.Fix(
                $"The clock of {furthest.Kdc} differs by {furthest.Offset.Duration():c} from this machine's. This client corrects for it, "
                + "but backends and token issuers do not: they refuse tickets and tokens.",
                Remedies.Clocks(subject.Names()), evidence);
        }
        return furthest.Offset.Duration() >= NotableSkew
            ? subject.Look(
                $"The clock of {furthest.Kdc} differs by {furthest.Offset.Duration():c} from this machine's.",
                Remedies.Clocks(subject.Names()), evidence)
            : subject.Ok("", evidence);
    }
}
