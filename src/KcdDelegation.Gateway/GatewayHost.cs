using KcdDelegation.AspNetCore.Bearer;
using KcdDelegation.Gateway.Applications;
using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Gateway.ForwardAuthentication;
using KcdDelegation.Gateway.Hosting;
using KcdDelegation.Gateway.IdentityProviders;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Gateway.SignIn;
using KcdDelegation.Gateway.SignOut;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace KcdDelegation.Gateway;

/// <summary>Builds the web application of the gateway from its settings.</summary>
internal static class GatewayHost
{
    /// <summary>Builds the gateway. Nothing of the environment or the current directory changes it.</summary>
    /// <param name="file">The file of the settings, which is followed.</param>
    /// <param name="loaded">The settings that were read from the file.</param>
    /// <param name="configure">Changes the services, in tests.</param>
    public static WebApplication Create(GatewaySettingsFile file, LoadedSettings loaded, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(ListenerConfiguration.Configure);
        builder.Services.AddLogging(static logging => logging.AddFilter(static (category, level) => level >= GetLevel(category)));
        AddGateway(builder.Services, file, loaded);
        AddOperation(builder.Services, loaded.Settings.Operation);
        configure?.Invoke(builder);
        var app = builder.Build();
        UseGateway(app);
        return app;
    }

    private static void AddGateway(IServiceCollection services, GatewaySettingsFile file, LoadedSettings loaded)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new GatewaySettingsStore(file, loaded, provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<ServerCertificates>();
        services.AddSingleton<ListenerConfiguration>();
        services.Configure<SocketTransportOptions>(static sockets => sockets.CreateBoundListenSocket = ListenerConfiguration.Bind);
        services.AddSingleton<ProviderRegistry>();
        services.AddSingleton<RequestHygiene>();
        services.AddSingleton<ApplicationSelection>();
        services.AddSingleton<ApplicationAuthorization>();
        services.AddSingleton<ForwardAuthenticationEndpoint>();
        services.AddSingleton<DrainState>();
        services.AddSingleton<HealthEndpoints>();
        services.AddHealthChecks().AddKcdDelegation(health => health.ProbeUser = loaded.Settings.Operation.ProbeUser);
        services.AddHostedService(static provider => provider.GetRequiredService<DrainState>());
        services.AddHostedService<FileWatcher>();
        services.AddHostedService<StartReport>();
        services.AddHostedService<SystemdNotifier>();
        services.AddSingleton<AdminDoctor>();
        services.AddHostedService<AdminSocket>();

        services.AddSingleton<IAccessTokenValidator, ApplicationTokenValidator>();
        services.AddAuthentication().AddKcdBearer(GatewaySchemes.Bearer);
        services.AddKcdAspNetCore(answers =>
            (answers.Contact, answers.ContactAddress) = (loaded.Settings.Pages.Contact, loaded.Settings.Pages.ContactAddress));
        if (loaded.Settings.State is { } state)
            services.AddGatewaySignIn(state).AddGatewaySignOut(state);

        services.AddSingleton<IOptionsChangeTokenSource<KcdOptions>>(
            static provider => provider.GetRequiredService<GatewaySettingsStore>());
        services.AddOptions<KcdOptions>().Configure<GatewaySettingsStore>(
            static (options, store) => GatewaySettingsParser.BindLibrary(store.Current, options));
        services.AddKcdDelegation(static _ => { });

        var routes = new InMemoryConfigProvider([], []);
        services.AddSingleton(routes);
        services.AddSingleton<IProxyConfigProvider>(routes);
        services.AddSingleton<IConfigChangeListener, RouteConfiguration>();
        services.AddSingleton<IForwarderHttpClientFactory, PlainClientFactory>();
        services.AddReverseProxy()
            .AddTransforms<ResponseRewriting>()
            .AddTransforms<EncodedSlashes>()
            .AddKcdDelegation(static options => options.GatewayCookies.Add("__Host-kcd-*"));
    }

    private static void AddOperation(IServiceCollection services, OperationOptions operation)
    {
        if (operation.AuditFile is { } audit)
        {
            services.AddSingleton<ILoggerProvider>(provider => new AuditFile(audit, provider.GetRequiredService<TimeProvider>()));
            services.AddLogging(static logging => logging.AddFilter<AuditFile>(static (category, _) => AuditFile.Has(category)));
        }
        if (operation.Otlp is not null || operation.Prometheus is not null)
            AddTelemetry(services, operation);
    }

    private static void AddTelemetry(IServiceCollection services, OperationOptions operation)
    {
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(static resource => resource.AddService("kcd-gateway", serviceVersion: StartReport.Version))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(
                    KcdTelemetry.Name, KcdTelemetry.KerberosName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel",
                    "System.Net.Http", "System.Runtime");
                if (operation.Prometheus is not null)
                    metrics.AddPrometheusExporter();
                if (operation.Otlp is { } collector)
                    metrics.AddOtlpExporter(exporter => exporter.Endpoint = collector);
            });
        if (operation.Otlp is not { } otlp)
            return;
        telemetry.WithTracing(traces => traces
            .AddSource(KcdTelemetry.Name, KcdTelemetry.KerberosName, "Microsoft.AspNetCore", "System.Net.Http")
            .AddOtlpExporter(exporter => exporter.Endpoint = otlp));
        if (operation.OtlpLogs)
            telemetry.WithLogging(
                logs => logs.AddOtlpExporter(exporter => exporter.Endpoint = otlp),
                static options => options.IncludeFormattedMessage = true);
    }

    private static void UseGateway(WebApplication app)
    {
        if (app.Services.GetRequiredService<GatewaySettingsStore>().Current.Operation.Prometheus is not null)
            PrometheusListener.Use(app);
        app.Use(app.Services.GetRequiredService<ForwardAuthenticationEndpoint>().InvokeAsync);
        app.Use(app.Services.GetRequiredService<RequestHygiene>().InvokeAsync);
        app.UseKcdDelegation();
        app.Use(app.Services.GetRequiredService<HealthEndpoints>().InvokeAsync);
        app.Use(app.Services.GetRequiredService<ApplicationSelection>().InvokeAsync);
        // Without this call, the framework would authenticate before the application is known. It also answers the paths of a sign-in.
        app.UseAuthentication();
        if (app.Services.GetService<SignOutEndpoints>() is { } signOut)
            app.Use(signOut.InvokeAsync);
        if (app.Services.GetService<SignInEndpoints>() is { } signIn)
            app.Use(signIn.InvokeAsync);
        app.Use(app.Services.GetRequiredService<ApplicationAuthorization>().InvokeAsync);
        app.UseRouting();
        app.UseAuthorization();
        var timeProvider = app.Services.GetRequiredService<TimeProvider>();
        app.MapReverseProxy(proxy => ForwardingPipeline.Configure(proxy, timeProvider));
    }

    private static LogLevel GetLevel(string? category) =>
        category?.StartsWith("KcdDelegation", StringComparison.Ordinal) == true ? LogLevel.Information
        // A start that fails is reported by the command.
        : category?.StartsWith("Microsoft.Extensions.Hosting", StringComparison.Ordinal) == true ? LogLevel.Critical
        : LogLevel.Warning;
}
