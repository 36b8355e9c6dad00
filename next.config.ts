import type { NextConfig } from 'next';

// Native drivers stay outside the bundle; the store is opened by collectors/main.ts, never by Next.
const config: NextConfig = {
  serverExternalPackages: ['@duckdb/node-api', '@duckdb/node-bindings', 'mqtt', 'aedes', '@grpc/grpc-js'],
  images: { unoptimized: true },
  poweredByHeader: false,
  productionBrowserSourceMaps: false,
  reactStrictMode: true,
  devIndicators: false,
  allowedDevOrigins: ['127.0.0.1'],
};

export default config;
