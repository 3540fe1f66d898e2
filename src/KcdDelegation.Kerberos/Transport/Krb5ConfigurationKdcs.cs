using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The KDCs that krb5.conf lists. The file is read again once a minute at most.</summary>
internal sealed class Krb5ConfigurationKdcs(IReadOnlyList<string> paths, TimeProvider time, ILogger logger) : IKdcLocator
{
    private static readonly TimeSpan ReloadInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private Krb5Configuration? _configuration;
    private long _readAt;

    public ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_configuration is null || time.GetElapsedTime(_readAt) >= ReloadInterval)
            {
                _configuration = Krb5Configuration.Load(paths, logger);
                _readAt = time.GetTimestamp();
            }
            return new(_configuration.GetKdcs(realm));
        }
    }
}
