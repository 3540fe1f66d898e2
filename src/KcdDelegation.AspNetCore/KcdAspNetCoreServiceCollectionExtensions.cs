using KcdDelegation;
using KcdDelegation.AspNetCore;
using KcdDelegation.AspNetCore.Answers;
using KcdDelegation.AspNetCore.Requests;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers Kerberos constrained delegation for ASP.NET Core.</summary>
public static class KcdAspNetCoreServiceCollectionExtensions
{
    /// <summary>Makes the user of the current HTTP request the caller of all HTTP clients with <c>AddKcdDelegation</c>, and registers the
    /// error answers and <see cref="KcdSessions"/>.</summary>
    /// <remarks>Outside of a request, or for another user, set the caller with <c>request.SetCaller(principal)</c>. Code that a request
    /// started has no caller after the end of the request. A registered <see cref="ICallerAccessor"/> or <see cref="IKcdErrorPage"/> is
    /// kept.</remarks>
    /// <param name="services">The service collection, with the delegation of <c>AddKcdDelegation</c>.</param>
    /// <param name="configure">Sets the options of the error answers.</param>
    public static IServiceCollection AddKcdAspNetCore(this IServiceCollection services, Action<KcdAnswerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<KcdAnswerOptions>();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(service => service.ServiceType == typeof(ActiveRequests)))
            return services;
        options
            .Validate(static answer => answer.HasValidContactAddress(), "ContactAddress must be an absolute https, mailto or tel address.")
            .Validate(static answer => answer.HasValidRetryAfter(), "RetryAfter must be more than zero and at most one hour.")
            .ValidateOnStart();
        services.AddSingleton<ActiveRequests>();
        services.AddSingleton<IStartupFilter, RequestScopeFilter>();
        services.AddSingleton<IHttpMessageHandlerBuilderFilter, RequestTrackingHandler.Filter>();
        services.TryAddSingleton<ICallerAccessor, RequestCaller>();
        services.TryAddSingleton<IKcdErrorPage, ErrorPage>();
        services.AddSingleton(provider => new AnswerWriter(
            provider.GetRequiredService<IOptions<KcdAnswerOptions>>(),
            provider.GetRequiredService<IKcdErrorPage>(),
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.AddSingleton(provider => new KcdSessions(
            provider.GetRequiredService<DelegationClient>(),
            provider.GetRequiredService<ActiveRequests>(),
            provider.GetRequiredService<ILoggerFactory>()));
        return services;
    }
}
