using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>Holds the place of the transport, which lands next.</summary>
internal sealed class KdcDispatcher
{
    public static KdcDispatcher Create(S4UClientOptions options, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logger);
        return new KdcDispatcher();
    }

#pragma warning disable CA1822
    public Task<TReply> SendAsync<TReply>(string realm, KdcAttempts attempts, Func<KdcRequest<TReply>> create, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
#pragma warning restore CA1822
}
