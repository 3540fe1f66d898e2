using System.Collections.Frozen;
using KcdDelegation.Diagnosis;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Lifetime;
using KcdDelegation.Token;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.IdentityProviders;

/// <summary>The identity providers of the settings in force. Thread-safe.</summary>
internal sealed class ProviderRegistry : IAsyncDisposable
{
    private readonly DeferredDisposal _retirement;
    private readonly ILogger _logger;
    private readonly ILogger _audit;
    private readonly TimeProvider _timeProvider;
    private volatile FrozenDictionary<string, IdentityProvider> _providers = FrozenDictionary<string, IdentityProvider>.Empty;

    public ProviderRegistry(GatewaySettingsStore settings, ILoggerFactory loggerFactory, TimeProvider timeProvider)
    {
        (_logger, _audit) = (loggerFactory.CreateLogger(Log.Category), loggerFactory.CreateLogger(Log.AuditCategory));
        (_timeProvider, _retirement) = (timeProvider, new DeferredDisposal(timeProvider));
        settings.Subscribe(Apply);
    }

    /// <summary>Returns a provider, or null if the settings no longer have it.</summary>
    public IdentityProvider? Find(string name) => _providers.GetValueOrDefault(name);

    public async ValueTask DisposeAsync()
    {
        await _retirement.DisposeAsync();
        foreach (var provider in _providers.Values)
            await provider.DisposeAsync();
    }

    private void Apply(GatewaySettings settings)
    {
        var old = _providers;
        var kept = new HashSet<SigningKeys>();
        _providers = settings.Providers.Values.Select(provider => Create(provider, old, kept))
            .ToFrozenDictionary(provider => provider.Settings.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var replaced in old.Values.Where(provider => !kept.Contains(provider.Keys)))
            _retirement.Add(replaced);
    }

    /// <summary>Creates a provider. Its keys stay while its issuer stays, so that a change of other settings does not wait for the
    /// issuer.</summary>
    private IdentityProvider Create(
        ProviderSettings settings, FrozenDictionary<string, IdentityProvider> old, HashSet<SigningKeys> kept)
    {
        var keys = old.TryGetValue(settings.Name, out var replaced) && replaced.Settings.Token.HasSameIssuer(settings.Token)
            ? replaced.Keys
            : new SigningKeys(new IssuerDocuments(settings.Token, _timeProvider), _timeProvider, _logger);
        kept.Add(keys);
        return new IdentityProvider(settings, keys, _audit, _timeProvider);
    }
}
